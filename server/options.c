/* SPDX-License-Identifier: Apache-2.0 */
#include "server/options.h"

#include <argp.h>
#include <string.h>
#include <sysexits.h>

enum {
    OPTION_SET = 256,
    OPTION_NO_AUTH,
    OPTION_CHECK,
    OPTION_ROLE,
    OPTION_DATA_MART,
    OPTION_VERIFY,
    OPTION_INCLUDES
};

static const struct argp_option option_list[] = {
    {"listen", 'l', "URL", 0,
     "address to listen on, http and https alike; may be given several times; port 0 takes a"
     " free one (default http://127.0.0.1:8080)",
     0},
    {"data", 'd', "DIR", 0, "directory of database and keys (default ./explaind-data)", 0},
    {"config", 'c', "FILE", 0, "configuration file: [section] and key = value", 0},
    {"set", OPTION_SET, "KEY=VALUE", 0, "one setting, over the file's; may be given several times", 0},
    {"no-auth", OPTION_NO_AUTH, 0, 0, "serve without users, on loopback addresses only", 0},
    {"role", OPTION_ROLE, "ROLE", 0, "user add: viewer (default), editor or admin", 0},
    {"data-mart", OPTION_DATA_MART, "GUID", 0, "user add: the instance the user belongs to (default the zero GUID)", 0},
    {"verify", OPTION_VERIFY, 0, 0, "restore: find out whether it could be done, and change nothing", 0},
    {"includes", OPTION_INCLUDES, "LIST", 0,
     "export: columns of records (scoring_input is the image), or answer,attributions of explanations", 0},
    {"check", OPTION_CHECK, 0, 0, "check the configuration and end", 0},
    {0}};

static const char doc[] =
    "Explains the decisions of deployed image classifiers over REST, as IBM Watson OpenScale does.\v"
    "Commands:\n"
    "  serve    run the daemon\n"
    "  explain IMAGE --model URL   explain one image at a shell (explaind explain --help)\n"
    "  probe URL --image FILE      which formats a model takes, and what an explanation will cost (explaind probe "
    "--help)\n"
    "  routes   print every operation: METHOD PATH OPERATION ROLE\n"
    "  config   print all settings with their values and meaning\n"
    "  backup FILE   copy the database of --data to a new file, beside a running daemon or without one\n"
    "  fsck [FILE]   check the database of --data, or a copy of one: exit status 0 when it is sound, 1 when not\n"
    "  restore FILE   put a backup into --data, after checking it; --verify only checks\n"
    "  export records|explanations [FILE]   print them, a line of JSON each, out of --data or a copy of a database\n"
    "  user     list, add, remove, passwd, role, logout, key: users, beside a running daemon or without one\n"
    "  token    list, revoke: tokens that end before their time\n";

static error_t add(struct argp_state *state, const char **list, size_t *n, size_t max, const char *value)
{
    if (*n == max)
        argp_error(state, "more than %zu words or options of a kind", max);
    list[(*n)++] = value;
    return 0;
}

static error_t take_command(struct argp_state *state, struct xpl_options *options, const char *name)
{
    static const char *const names[] = {"serve",   "routes", "config", "backup", "fsck",
                                        "restore", "export", "user",   "token"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0) {
            options->command = (enum xpl_command)i;
            return add(state, options->words, &options->n_words, XPL_MAX_WORDS, name);
        }
    }
    argp_error(
        state,
        "there is no command %s; there are serve, explain, probe, routes, config, backup, fsck, restore, export, "
        "user, token",
        name);
    return EINVAL;
}

static error_t take_argument(struct argp_state *state, struct xpl_options *options, const char *word)
{
    bool exports = options->command == XPL_COMMAND_EXPORT;
    bool takes_file = options->command == XPL_COMMAND_BACKUP || options->command == XPL_COMMAND_FSCK ||
                      options->command == XPL_COMMAND_RESTORE || exports;

    if (state->arg_num == 0)
        return take_command(state, options, word);
    if (options->command == XPL_COMMAND_USER || options->command == XPL_COMMAND_TOKEN)
        return add(state, options->words, &options->n_words, XPL_MAX_WORDS, word);
    if (exports && state->arg_num == 1) {
        options->what = word;
        return 0;
    }
    if (!takes_file || state->arg_num > (exports ? 2u : 1u))
        argp_error(state, "%s is one word too many", word);
    options->file = word;
    return 0;
}

static error_t on_option(int key, char *value, struct argp_state *state)
{
    struct xpl_options *options = state->input;

    switch (key) {
    case 'l':
        return add(state, options->listen, &options->n_listen, XPL_MAX_LISTEN, value);
    case 'd':
        options->data_dir = value;
        return 0;
    case 'c':
        options->config_file = value;
        return 0;
    case OPTION_SET:
        return add(state, options->set, &options->n_set, XPL_MAX_SETTINGS, value);
    case OPTION_NO_AUTH:
        options->no_auth = true;
        return 0;
    case OPTION_ROLE:
        options->role = value;
        return 0;
    case OPTION_DATA_MART:
        options->data_mart = value;
        return 0;
    case OPTION_VERIFY:
        options->verify = true;
        return 0;
    case OPTION_INCLUDES:
        options->includes = value;
        return 0;
    case OPTION_CHECK:
        options->check = true;
        return 0;
    case ARGP_KEY_ARG:
        return take_argument(state, options, value);
    case ARGP_KEY_END:
        if (options->command == XPL_COMMAND_BACKUP && !options->file)
            argp_error(state, "backup needs the name of the new file");
        if (options->command == XPL_COMMAND_RESTORE && !options->file)
            argp_error(state, "restore needs the name of the backup");
        if (options->command == XPL_COMMAND_EXPORT && !options->what)
            argp_error(state, "export needs to know what: records or explanations");
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void xpl_options_read(int argc, char **argv, struct xpl_options *ret)
{
    static const struct argp argp = {option_list, on_option, "COMMAND [FILE]", doc, NULL, NULL, NULL};

    argp_program_version = "explaind " EXPLAIND_VERSION;
    argp_err_exit_status = EX_USAGE;
    *ret = (struct xpl_options){.data_dir = "./explaind-data"};
    argp_parse(&argp, argc, argv, 0, NULL, ret);
    if (ret->n_listen == 0)
        ret->listen[ret->n_listen++] = "http://127.0.0.1:8080";
}
