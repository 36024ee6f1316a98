/* SPDX-License-Identifier: Apache-2.0 */
/* The program in C: what src/bin/every-type.rs does, with bindings by `wit-bindgen c`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <command.h>

typedef acme_types_types_shape_t shape_t;
typedef acme_types_types_row_t row_t;
typedef acme_types_types_point_t point_t;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Prints a string. */
static void put(const command_string_t *text)
{
	fwrite(text->ptr, 1, text->len, stdout);
}

/* Prints the name of a colour. */
static void put_color(acme_types_colors_color_t color)
{
	command_string_t name;

	acme_types_colors_name(color, &name);
	put(&name);
	command_string_free(&name);
}

/* Prints a character, of which the point of code is given. */
static void put_char(uint32_t point)
{
	if (point < 0x80) {
		putchar(point);
	} else if (point < 0x800) {
		printf("%c%c", 0xc0 | point >> 6, 0x80 | (point & 63));
	} else if (point < 0x10000) {
		printf("%c%c%c", 0xe0 | point >> 12, 0x80 | (point >> 6 & 63), 0x80 | (point & 63));
	} else {
		printf("%c%c%c%c", 0xf0 | point >> 18, 0x80 | (point >> 12 & 63),
		       0x80 | (point >> 6 & 63), 0x80 | (point & 63));
	}
}

/* Prints a point. */
static void put_point(const point_t *point)
{
	printf("%d/%.2f/", point->x, point->y);
	put_char(point->tag);
}

/* Prints a row. */
static void put_row(const row_t *row)
{
	printf("%" PRIu64 " ", row->id);
	put(&row->name);
	printf(" [");
	for (size_t i = 0; i < row->points.len; i++) {
		printf("%s", i ? " " : "");
		put_point(&row->points.ptr[i]);
	}
	printf("] ");
	if (row->note.is_some) {
		put(&row->note.val);
	} else {
		printf("-");
	}
	printf(" %u", row->marks);
}

/* Prints a shape. */
static void put_shape(const shape_t *shape)
{
	switch (shape->tag) {
	case ACME_TYPES_TYPES_SHAPE_NOTHING:
		printf("nothing");
		break;
	case ACME_TYPES_TYPES_SHAPE_CIRCLE:
		printf("circle %.2f", shape->val.circle);
		break;
	case ACME_TYPES_TYPES_SHAPE_PATH:
		printf("path ");
		put_point(&shape->val.path.ptr[0]);
		break;
	case ACME_TYPES_TYPES_SHAPE_NAMED:
		printf("named ");
		put(&shape->val.named.f0);
		printf(" %u", shape->val.named.f1);
		break;
	case ACME_TYPES_TYPES_SHAPE_TABLE:
		printf("table ");
		put_row(&shape->val.table);
		break;
	default:
		printf("colored ");
		put_color(shape->val.colored);
	}
}

static void colors(void)
{
	printf("colors: ");
	put_color(ACME_TYPES_COLORS_COLOR_RED);
	printf(" ");
	put_color(ACME_TYPES_COLORS_COLOR_GREEN);
	printf(" ");
	put_color(acme_types_colors_next(ACME_TYPES_COLORS_COLOR_BLUE));
	printf("\n");
}

static void numbers(uint64_t bits)
{
	command_tuple12_bool_u8_s8_u16_s16_u32_s32_u64_s64_f32_f64_char32_t of;

	acme_types_types_numbers(bits != 0, bits, bits, bits, bits, bits, bits, bits, bits, 0.25F,
				 -1e10, 0x10fffe, &of);
	printf("numbers: %d %u %d %u %d %" PRIu32 " %" PRId32 " %" PRIu64 " %" PRId64 " %.2f %.2f ",
	       of.f0, of.f1, of.f2, of.f3, of.f4, of.f5, of.f6, of.f7, of.f8, of.f9, of.f10);
	put_char(of.f11);
	printf("\n");
}

static void glue(void)
{
	static const char *const words[] = {"a", "", "ccc", "d", "\303\251", "f", "g", "last"};
	command_string_t texts[COUNT(words)], glued;

	for (size_t i = 0; i < COUNT(words); i++) {
		command_string_set(&texts[i], words[i]);
	}
	acme_types_types_glue(&texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &texts[5],
			      &texts[6], &texts[7], '+', &glued);
	printf("glue: ");
	put(&glued);
	printf("\n");
	command_string_free(&glued);
}

static void turn(void)
{
	shape_t now = {.tag = ACME_TYPES_TYPES_SHAPE_NOTHING};

	for (int i = 0; i < 6; i++) {
		shape_t next;

		acme_types_types_turn(&now, &next);
		acme_types_types_shape_free(&now);
		now = next;
		printf("turn: ");
		put_shape(&now);
		printf("\n");
	}
	acme_types_types_shape_free(&now);
}

static void invert(void)
{
	point_t points[] = {{.x = INT16_MIN + 1, .y = 0.5, .tag = 'a'},
			    {.x = 2, .y = -1.25, .tag = 0xf6}};
	row_t rows[] = {
		{.id = 1,
		 .points = {points, COUNT(points)},
		 .note.is_some = true,
		 .marks = ACME_TYPES_TYPES_MARKS_ITALIC},
		{.id = UINT64_MAX, .marks = 2 * ACME_TYPES_TYPES_MARKS_MARKED - 1},
	};
	acme_types_types_list_row_t given = {rows, COUNT(rows)}, inverted;

	command_string_set(&rows[0].name, "one");
	command_string_set(&rows[0].note.val, "first");
	acme_types_types_invert(&given, &inverted);
	for (size_t i = 0; i < inverted.len; i++) {
		printf("invert: ");
		put_row(&inverted.ptr[i]);
		printf("\n");
	}
	acme_types_types_list_row_free(&inverted);
}

static void parse(const char *words)
{
	command_string_t text;
	command_list_s64_t numbers;
	acme_types_types_problem_t problem;

	command_string_set(&text, words);
	printf("parse:");
	if (acme_types_types_parse(&text, &numbers, &problem)) {
		for (size_t i = 0; i < numbers.len; i++) {
			printf(" %" PRId64, numbers.ptr[i]);
		}
		command_list_s64_free(&numbers);
	} else if (problem.tag == ACME_TYPES_TYPES_PROBLEM_LATE) {
		printf(" late");
	} else if (problem.tag == ACME_TYPES_TYPES_PROBLEM_AT) {
		printf(" at %" PRIu32, problem.val.at);
	} else {
		printf(" because ");
		put(&problem.val.because);
		acme_types_types_problem_free(&problem);
	}
	printf("\n");
}

static void deep(acme_types_types_option_result_color_string_t *of)
{
	acme_types_types_option_result_color_string_t got;

	printf("deep: ");
	if (!acme_types_types_deep(of, &got)) {
		printf("none");
	} else if (!got.is_some) {
		printf("some none");
	} else if (!got.val.is_err) {
		printf("ok ");
		put_color(got.val.val.ok);
	} else {
		printf("error ");
		put(&got.val.val.err);
		acme_types_types_option_result_color_string_free(&got);
	}
	printf("\n");
}

static void grow(void)
{
	command_string_t texts[2];
	command_list_string_t lists[] = {{texts, 2}, {NULL, 0}};
	command_list_list_string_t given = {lists, COUNT(lists)}, grown;

	command_string_set(&texts[0], "x");
	command_string_set(&texts[1], "yy");
	acme_types_types_grow(&given, &grown);
	printf("grow: ");
	for (size_t i = 0; i < grown.len; i++) {
		printf("(");
		for (size_t j = 0; j < grown.ptr[i].len; j++) {
			printf("%s", j ? " " : "");
			put(&grown.ptr[i].ptr[j]);
		}
		printf(")");
	}
	printf("\n");
	command_list_list_string_free(&grown);
}

/* Makes a pile. */
static acme_types_types_own_pile_t pile(const char *name)
{
	command_string_t text;

	command_string_set(&text, name);
	return acme_types_types_constructor_pile(&text);
}

/* Puts a text on a pile. */
static uint32_t push(acme_types_types_own_pile_t pile, const char *word)
{
	command_string_t text;

	command_string_set(&text, word);
	return acme_types_types_method_pile_push(acme_types_types_borrow_pile(pile), &text);
}

/* Takes a text from a pile and prints it. */
static void pop(acme_types_types_own_pile_t pile)
{
	command_string_t text;

	if (acme_types_types_method_pile_pop(acme_types_types_borrow_pile(pile), &text)) {
		put(&text);
		command_string_free(&text);
	} else {
		printf("true");
	}
}

static void piles(void)
{
	acme_types_types_own_pile_t piles[] = {pile("left"), pile("right")}, joined;
	acme_types_types_borrow_pile_t lent[] = {acme_types_types_borrow_pile(piles[0]),
						 acme_types_types_borrow_pile(piles[1])};
	acme_types_types_list_borrow_pile_t of = {lent, COUNT(lent)}, none = {NULL, 0};
	acme_types_types_list_own_pile_t given = {piles, COUNT(piles)};
	uint32_t counts[] = {push(piles[0], "l1"), push(piles[1], "r1"), push(piles[1], "r2")}, at,
		 nothing;
	bool found = acme_types_types_highest(&of, &at);

	printf("piles: %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", counts[0], counts[1], counts[2]);
	printf("highest: %" PRId32 " %s\n", found ? (int32_t)at : -1,
	       acme_types_types_highest(&none, &nothing) ? "false" : "true");
	fflush(stdout);
	joined = acme_types_types_static_pile_join(&given);
	printf("pop: ");
	pop(joined);
	lent[0] = acme_types_types_borrow_pile(joined);
	of.len = 1;
	found = acme_types_types_highest(&of, &at);
	printf("\nhighest: %" PRId32 "\npop: ", found ? (int32_t)at : -1);
	pop(joined);
	printf(" ");
	pop(joined);
	printf(" ");
	pop(joined);
	printf("\n");
	fflush(stdout);
	acme_types_types_pile_drop_own(joined);
}

/* Stands in the place of `main`: a program with other exports is linked as a reactor. */
bool exports_wasi_cli_run_run(void)
{
	acme_types_types_option_result_color_string_t none = {0}, green = {.is_some = true},
						      no = {.is_some = true};

	colors();
	numbers(0);
	numbers(UINT64_MAX);
	glue();
	turn();
	invert();
	parse("1,-22,9223372036854775807");
	parse("");
	parse("7,,8");
	parse("7,eight");
	green.val.val.ok = ACME_TYPES_COLORS_COLOR_GREEN;
	no.val.is_err = true;
	command_string_set(&no.val.val.err, "no");
	deep(NULL);
	deep(&none);
	deep(&green);
	deep(&no);
	grow();
	piles();
	return true;
}
