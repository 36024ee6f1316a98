/* SPDX-License-Identifier: Apache-2.0 */

/* What the log says. */

#ifndef TESTS_TRANSLATE_LINES_H_
#define TESTS_TRANSLATE_LINES_H_

/* Forgets the lines that were logged. */
void lines_clear(void);

/* Returns what is behind the first `words` in the log, or NULL if they do not come. */
const char *lines_behind(const char *words);

#endif /* TESTS_TRANSLATE_LINES_H_ */
