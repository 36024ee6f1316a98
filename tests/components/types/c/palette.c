/* SPDX-License-Identifier: Apache-2.0 */
/* The library for colours: a component that exports `acme:types/colors` and calls no function of
 * WASI. */
#include <palette.h>

void exports_acme_types_colors_name(exports_acme_types_colors_color_t of, palette_string_t *ret)
{
	static const char *const names[] = {"red", "green", "blue"};

	palette_string_dup(ret, names[of]);
}

exports_acme_types_colors_color_t
exports_acme_types_colors_next(exports_acme_types_colors_color_t of)
{
	return (of + 1) % 3;
}
