/* The version of the programming interface that these headers describe.
 *
 * Build systems read the string out of this file with regular expressions and
 * compare the three numbers in the preprocessor, so each stays on a line of
 * its own, spelt exactly so. At run time, otrl_version() in <libotr/proto.h>
 * names the version of the library that was loaded. */

#ifndef __VERSION_H__
#define __VERSION_H__

#define OTRL_VERSION "3.2.1"

#define OTRL_VERSION_MAJOR 3
#define OTRL_VERSION_MINOR 2
#define OTRL_VERSION_SUB 1

#endif
