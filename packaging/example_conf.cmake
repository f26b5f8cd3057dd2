# SPDX-License-Identifier: Apache-2.0
# Writes OUTPUT, the configuration file to start from: what `PROGRAM config` lists, with every setting commented out, so
# that a setting nobody chose follows the default of the next version.
execute_process(COMMAND ${PROGRAM} config OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "\n([a-z_]+ = )" "\n;\\1" text "${text}")
file(WRITE ${OUTPUT} "; Settings of explaind with their defaults; remove the ; in front of a key to change it.\n\n${text}")
