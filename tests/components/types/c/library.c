/* SPDX-License-Identifier: Apache-2.0 */
/* The library in C: what src/lib.rs does, with bindings by `wit-bindgen c`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <library.h>

typedef exports_acme_types_types_shape_t shape_t;
typedef exports_acme_types_types_row_t row_t;
typedef exports_acme_types_types_point_t point_t;
typedef exports_acme_types_types_problem_t problem_t;

#define BOLD   EXPORTS_ACME_TYPES_TYPES_MARKS_BOLD
#define MARKED EXPORTS_ACME_TYPES_TYPES_MARKS_MARKED
#define ALL    (2 * MARKED - 1)

/* A pile of texts. */
struct exports_acme_types_types_pile_t {
	library_string_t name;
	size_t count;
	library_string_t *texts;
};

/* Adds bytes to the end of a string. */
static void append(library_string_t *text, const void *bytes, size_t length)
{
	text->ptr = realloc(text->ptr, text->len + length + 1);
	memcpy(text->ptr + text->len, bytes, length);
	text->len += length;
}

exports_acme_types_types_own_pile_t
exports_acme_types_types_constructor_pile(library_string_t *name)
{
	exports_acme_types_types_pile_t *pile = calloc(1, sizeof(*pile));

	pile->name = *name;
	return exports_acme_types_types_pile_new(pile);
}

uint32_t exports_acme_types_types_method_pile_push(exports_acme_types_types_borrow_pile_t pile,
						   library_string_t *text)
{
	pile->texts = realloc(pile->texts, (pile->count + 1) * sizeof(*text));
	pile->texts[pile->count++] = *text;
	return pile->count;
}

bool exports_acme_types_types_method_pile_pop(exports_acme_types_types_borrow_pile_t pile,
					      library_string_t *ret)
{
	if (pile->count == 0) {
		return false;
	}
	*ret = pile->texts[--pile->count];
	return true;
}

exports_acme_types_types_own_pile_t
exports_acme_types_types_static_pile_join(exports_acme_types_types_list_own_pile_t *piles)
{
	exports_acme_types_types_pile_t *joined = calloc(1, sizeof(*joined));

	for (size_t i = 0; i < piles->len; i++) {
		exports_acme_types_types_pile_t *pile =
			exports_acme_types_types_pile_rep(piles->ptr[i]);

		append(&joined->name, pile->name.ptr, pile->name.len);
		for (size_t j = 0; j < pile->count; j++) {
			exports_acme_types_types_method_pile_push(joined, &pile->texts[j]);
		}
		pile->count = 0;
		exports_acme_types_types_pile_drop_own(piles->ptr[i]);
	}
	exports_acme_types_types_list_own_pile_free(piles);
	return exports_acme_types_types_pile_new(joined);
}

void exports_acme_types_types_pile_destructor(exports_acme_types_types_pile_t *pile)
{
	printf("library: the pile %.*s ends with %zu\n", (int)pile->name.len,
	       (char *)pile->name.ptr, pile->count);
	/* a library does not end, so nothing else empties the buffer */
	fflush(stdout);
	for (size_t i = 0; i < pile->count; i++) {
		library_string_free(&pile->texts[i]);
	}
	free(pile->texts);
	library_string_free(&pile->name);
	free(pile);
}

void exports_acme_types_types_numbers(
	bool a, uint8_t b, int8_t c, uint16_t d, int16_t e, uint32_t f, int32_t g, uint64_t h,
	int64_t i, float j, double k, uint32_t l,
	library_tuple12_bool_u8_s8_u16_s16_u32_s32_u64_s64_f32_f64_char32_t *ret)
{
	ret->f0 = !a;
	ret->f1 = b + 1;
	ret->f2 = c + 1;
	ret->f3 = d + 1;
	ret->f4 = e + 1;
	ret->f5 = f + 1;
	ret->f6 = (int32_t)((uint32_t)g + 1);
	ret->f7 = h + 1;
	ret->f8 = (int64_t)((uint64_t)i + 1);
	ret->f9 = -j;
	ret->f10 = -k;
	ret->f11 = l + 1;
}

void exports_acme_types_types_glue(library_string_t *a, library_string_t *b, library_string_t *c,
				   library_string_t *d, library_string_t *e, library_string_t *f,
				   library_string_t *g, library_string_t *h, uint8_t i,
				   library_string_t *ret)
{
	library_string_t *texts[] = {a, b, c, d, e, f, g, h};

	memset(ret, 0, sizeof(*ret));
	for (size_t n = 0; n < sizeof(texts) / sizeof(texts[0]); n++) {
		if (n > 0) {
			append(ret, &i, 1);
		}
		append(ret, texts[n]->ptr, texts[n]->len);
		library_string_free(texts[n]);
	}
}

void exports_acme_types_types_turn(shape_t *of, shape_t *ret)
{
	char text[32];

	memset(ret, 0, sizeof(*ret));
	switch (of->tag) {
	case EXPORTS_ACME_TYPES_TYPES_SHAPE_NOTHING:
		ret->tag = EXPORTS_ACME_TYPES_TYPES_SHAPE_CIRCLE;
		ret->val.circle = 1.5F;
		break;
	case EXPORTS_ACME_TYPES_TYPES_SHAPE_CIRCLE:
		ret->tag = EXPORTS_ACME_TYPES_TYPES_SHAPE_PATH;
		ret->val.path.len = 1;
		ret->val.path.ptr = malloc(sizeof(point_t));
		ret->val.path.ptr[0] =
			(point_t){.x = (int16_t)of->val.circle, .y = of->val.circle, .tag = 'o'};
		break;
	case EXPORTS_ACME_TYPES_TYPES_SHAPE_PATH:
		ret->tag = EXPORTS_ACME_TYPES_TYPES_SHAPE_NAMED;
		snprintf(text, sizeof(text), "%zu points", of->val.path.len);
		library_string_dup(&ret->val.named.f0, text);
		ret->val.named.f1 = of->val.path.len;
		break;
	case EXPORTS_ACME_TYPES_TYPES_SHAPE_NAMED:
		ret->tag = EXPORTS_ACME_TYPES_TYPES_SHAPE_TABLE;
		ret->val.table.id = of->val.named.f1;
		library_string_dup_n(&ret->val.table.name, (char *)of->val.named.f0.ptr,
				     of->val.named.f0.len);
		ret->val.table.marks = BOLD | MARKED;
		break;
	case EXPORTS_ACME_TYPES_TYPES_SHAPE_TABLE:
		if (of->val.table.marks & MARKED) {
			ret->tag = EXPORTS_ACME_TYPES_TYPES_SHAPE_COLORED;
			ret->val.colored = ACME_TYPES_COLORS_COLOR_RED;
		}
		break;
	default:
		ret->tag = EXPORTS_ACME_TYPES_TYPES_SHAPE_NAMED;
		acme_types_colors_name(acme_types_colors_next(of->val.colored), &ret->val.named.f0);
	}
	exports_acme_types_types_shape_free(of);
}

/* Turns a row into its opposite. */
static void oppose(row_t *row)
{
	row->id = ~row->id;
	row->marks = ALL & ~row->marks;
	for (size_t i = 0; i < row->name.len / 2; i++) {
		uint8_t letter = row->name.ptr[i];

		row->name.ptr[i] = row->name.ptr[row->name.len - 1 - i];
		row->name.ptr[row->name.len - 1 - i] = letter;
	}
	for (size_t i = 0; i < (row->points.len + 1) / 2; i++) {
		point_t *first = &row->points.ptr[i],
			*last = &row->points.ptr[row->points.len - 1 - i], point = *first;

		*first = (point_t){.x = -last->x, .y = -last->y, .tag = last->tag + 1};
		if (first != last) {
			*last = (point_t){.x = -point.x, .y = -point.y, .tag = point.tag + 1};
		}
	}
	if (row->note.is_some) {
		append(&row->note.val, "!", 1);
	}
}

void exports_acme_types_types_invert(exports_acme_types_types_list_row_t *rows,
				     exports_acme_types_types_list_row_t *ret)
{
	ret->len = rows->len;
	ret->ptr = malloc(rows->len * sizeof(row_t));
	for (size_t i = 0; i < rows->len; i++) {
		ret->ptr[rows->len - 1 - i] = rows->ptr[i];
		oppose(&ret->ptr[rows->len - 1 - i]);
	}
	/* the rows live on */
	free(rows->ptr);
}

bool exports_acme_types_types_parse(library_string_t *text, library_list_s64_t *ret, problem_t *err)
{
	const char *now = (char *)text->ptr, *end = now + text->len;

	memset(ret, 0, sizeof(*ret));
	memset(err, 0, sizeof(*err));
	if (now == end) {
		err->tag = EXPORTS_ACME_TYPES_TYPES_PROBLEM_LATE;
		return false;
	}
	for (;;) {
		const char *comma = memchr(now, ',', end - now);
		char word[24], *last;

		comma = comma ? comma : end;
		snprintf(word, sizeof(word), "%.*s", (int)(comma - now), now);
		if (now == comma) {
			err->tag = EXPORTS_ACME_TYPES_TYPES_PROBLEM_AT;
			err->val.at = now - (char *)text->ptr;
			break;
		}
		ret->ptr = realloc(ret->ptr, (ret->len + 1) * sizeof(*ret->ptr));
		ret->ptr[ret->len++] = strtoll(word, &last, 10);
		if (*last) {
			err->tag = EXPORTS_ACME_TYPES_TYPES_PROBLEM_BECAUSE;
			library_string_dup(&err->val.because, word);
			break;
		}
		if (comma == end) {
			library_string_free(text);
			return true;
		}
		now = comma + 1;
	}
	library_string_free(text);
	library_list_s64_free(ret);
	return false;
}

bool exports_acme_types_types_deep(exports_acme_types_types_option_result_color_string_t *maybe_of,
				   exports_acme_types_types_option_result_color_string_t *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!maybe_of) {
		return true;
	}
	if (!maybe_of->is_some) {
		return false;
	}
	ret->is_some = true;
	ret->val.is_err = !maybe_of->val.is_err;
	if (ret->val.is_err) {
		acme_types_colors_name(maybe_of->val.val.ok, &ret->val.val.err);
	} else {
		ret->val.val.ok = ACME_TYPES_COLORS_COLOR_BLUE;
	}
	exports_acme_types_types_option_result_color_string_free(maybe_of);
	return true;
}

void exports_acme_types_types_grow(library_list_list_string_t *of, library_list_list_string_t *ret)
{
	ret->len = of->len + 1;
	ret->ptr = realloc(of->ptr, ret->len * sizeof(*ret->ptr));
	memset(&ret->ptr[of->len], 0, sizeof(*ret->ptr));
	for (size_t i = 0; i < of->len; i++) {
		library_list_string_t *list = &ret->ptr[i];
		char count[16];

		snprintf(count, sizeof(count), "%zu", list->len);
		list->ptr = realloc(list->ptr, (list->len + 1) * sizeof(*list->ptr));
		library_string_dup(&list->ptr[list->len++], count);
	}
}

bool exports_acme_types_types_highest(exports_acme_types_types_list_borrow_pile_t *of,
				      uint32_t *ret)
{
	bool any = of->len > 0;

	*ret = 0;
	for (size_t i = 0; i < of->len; i++) {
		if (of->ptr[i]->count > of->ptr[*ret]->count) {
			*ret = i;
		}
	}
	exports_acme_types_types_list_borrow_pile_free(of);
	return any;
}
