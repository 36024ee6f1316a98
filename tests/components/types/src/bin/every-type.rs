// SPDX-License-Identifier: Apache-2.0
// stdout: colors: red green red
// stdout: numbers: 1 1 1 1 1 1 1 1 1 -0.25 10000000000.00 􏿿
// stdout: numbers: 0 0 0 0 0 0 0 0 0 -0.25 10000000000.00 􏿿
// stdout: glue: a++ccc+d+é+f+g+last
// stdout: turn: circle 1.50
// stdout: turn: path 1/1.50/o
// stdout: turn: named 1 points 1
// stdout: turn: table 1 1 points [] - 257
// stdout: turn: colored red
// stdout: turn: named green 0
// stdout: invert: 0  [] - 0
// stdout: invert: 18446744073709551614 eno [-2/1.25/÷ 32767/-0.50/b] first! 509
// stdout: parse: 1 -22 9223372036854775807
// stdout: parse: late
// stdout: parse: at 2
// stdout: parse: because eight
// stdout: deep: some none
// stdout: deep: none
// stdout: deep: error green
// stdout: deep: ok blue
// stdout: grow: (x yy 2)(0)()
// stdout: piles: 1 1 2
// stdout: highest: 1 true
// stdout: library: the pile left ends with 0
// stdout: library: the pile right ends with 0
// stdout: pop: r2
// stdout: highest: 0
// stdout: pop: r1 l1 true
// stdout: library: the pile leftright ends with 0
//! The program: a component that imports `acme:types/types` and `acme:types/colors`.

use acme::types::colors::{name, next, Color};
use acme::types::types::{
    deep, glue, grow, highest, invert, numbers, parse, turn, Marks, Pile, Point, Row, Shape,
};

wit_bindgen::generate!({ world: "program", path: "wit" });

/// Returns a row in words.
fn row(row: &Row) -> String {
    let points: Vec<String> = row
        .points
        .iter()
        .map(|point| format!("{}/{:.2}/{}", point.x, point.y, point.tag))
        .collect();
    let note = row.note.as_deref().unwrap_or("-");
    format!(
        "{} {} [{}] {} {}",
        row.id,
        row.name,
        points.join(" "),
        note,
        row.marks.bits()
    )
}

/// Returns a shape in words.
fn shape(shape: &Shape) -> String {
    match shape {
        Shape::Nothing => "nothing".into(),
        Shape::Circle(radius) => format!("circle {radius:.2}"),
        Shape::Path(points) => format!("path {}/{:.2}/{}", points[0].x, points[0].y, points[0].tag),
        Shape::Named((text, number)) => format!("named {text} {number}"),
        Shape::Table(table) => format!("table {}", row(table)),
        Shape::Colored(color) => format!("colored {}", name(*color)),
    }
}

fn main() {
    println!(
        "colors: {} {} {}",
        name(Color::Red),
        name(Color::Green),
        name(next(Color::Blue))
    );
    for bits in [0u64, u64::MAX] {
        let of = |size: u32| bits >> (64 - size);
        let (a, b, c, d, e, f, g, h, i, j, k, l) = numbers(
            bits != 0,
            of(8) as u8,
            of(8) as i8,
            of(16) as u16,
            of(16) as i16,
            of(32) as u32,
            of(32) as i32,
            bits,
            bits as i64,
            0.25,
            -1e10,
            '\u{10fffe}',
        );
        println!(
            "numbers: {} {b} {c} {d} {e} {f} {g} {h} {i} {j:.2} {k:.2} {l}",
            u8::from(a)
        );
    }
    println!(
        "glue: {}",
        glue("a", "", "ccc", "d", "é", "f", "g", "last", b'+')
    );
    let mut now = Shape::Nothing;
    for _ in 0..6 {
        now = turn(&now);
        println!("turn: {}", shape(&now));
    }
    let rows = [
        Row {
            id: 1,
            name: "one".into(),
            points: vec![
                Point {
                    x: i16::MIN + 1,
                    y: 0.5,
                    tag: 'a',
                },
                Point {
                    x: 2,
                    y: -1.25,
                    tag: 'ö',
                },
            ],
            note: Some("first".into()),
            marks: Marks::ITALIC,
        },
        Row {
            id: u64::MAX,
            name: String::new(),
            points: Vec::new(),
            note: None,
            marks: Marks::all(),
        },
    ];
    invert(&rows)
        .iter()
        .for_each(|inverted| println!("invert: {}", row(inverted)));
    for text in ["1,-22,9223372036854775807", "", "7,,8", "7,eight"] {
        use acme::types::types::Problem;
        match parse(text) {
            Ok(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
                println!("parse: {}", numbers.join(" "));
            }
            Err(Problem::Late) => println!("parse: late"),
            Err(Problem::At(at)) => println!("parse: at {at}"),
            Err(Problem::Because(word)) => println!("parse: because {word}"),
        }
    }
    for of in [
        None,
        Some(None),
        Some(Some(Ok(&Color::Green))),
        Some(Some(Err("no"))),
    ] {
        match deep(of) {
            None => println!("deep: none"),
            Some(None) => println!("deep: some none"),
            Some(Some(Ok(color))) => println!("deep: ok {}", name(color)),
            Some(Some(Err(text))) => println!("deep: error {text}"),
        }
    }
    let lists = grow(&[vec!["x".into(), "yy".into()], Vec::new()]);
    let lists: Vec<String> = lists
        .iter()
        .map(|list| format!("({})", list.join(" ")))
        .collect();
    println!("grow: {}", lists.concat());
    let (left, right) = (Pile::new("left"), Pile::new("right"));
    let counts = [left.push("l1"), right.push("r1"), right.push("r2")];
    println!("piles: {} {} {}", counts[0], counts[1], counts[2]);
    println!(
        "highest: {:?} {:?}",
        highest(&[&left, &right]).unwrap(),
        highest(&[]).is_err()
    );
    let joined = Pile::join(vec![left, right]);
    println!("pop: {}", joined.pop().unwrap());
    println!("highest: {}", highest(&[&joined]).unwrap());
    println!(
        "pop: {} {} {}",
        joined.pop().unwrap(),
        joined.pop().unwrap(),
        joined.pop().is_none()
    );
}
