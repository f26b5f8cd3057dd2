/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over files and folders of inputs: what was found once is tried in every test run. */
#include <dirent.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

#define MAX_BYTES ((size_t)1 << 20)

static void run_file(const char *path)
{
    uint8_t *data = malloc(MAX_BYTES);
    FILE *file = fopen(path, "rb");
    size_t size;

    FUZZ_REQUIRE(data && file);
    size = fread(data, 1, MAX_BYTES, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static size_t run_folder(const char *path)
{
    char name[4096];
    struct dirent *entry;
    DIR *folder = opendir(path);
    size_t n = 0;

    FUZZ_REQUIRE(folder);
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        fprintf(stderr, "%s\n", name); /* the last line names the input that failed */
        run_file(name);
        n++;
    }
    closedir(folder);
    return n;
}

int main(int argc, char **argv)
{
    size_t n = 0;
    struct stat about;

    for (int i = 1; i < argc; i++) {
        FUZZ_REQUIRE(stat(argv[i], &about) == 0);
        if (S_ISDIR(about.st_mode)) {
            n += run_folder(argv[i]);
        } else {
            run_file(argv[i]);
            n++;
        }
    }
    FUZZ_REQUIRE(n > 0);
    printf("[       OK ] %zu inputs\n", n);
    return 0;
}
