# SPDX-License-Identifier: Apache-2.0
# Turns INPUT into a C array NAME[] with NAME_length: cmake -DINPUT= -DOUTPUT= -DNAME= -P embed.cmake
file(READ ${INPUT} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR length "${digits} / 2")
string(REGEX REPLACE "(................................................................)" "\\1\n" lines "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "(char)0x\\1," bytes "${lines}")
file(WRITE ${OUTPUT} "/* made from ${NAME}'s source file at build time */\n#include <stddef.h>\nextern const char ${NAME}[];\nextern const size_t ${NAME}_length;\nconst char ${NAME}[] = {\n${bytes}0};\nconst size_t ${NAME}_length = ${length};\n")
