// SPDX-License-Identifier: Apache-2.0
//! The library: a component that exports `acme:types/types` and imports `acme:types/colors`.

use std::cell::RefCell;

use acme::types::colors::{name, next, Color};
use exports::acme::types::types::{
    Guest, GuestPile, Marks, Pile, PileBorrow, Point, Problem, Row, Shape,
};

wit_bindgen::generate!({ world: "library", path: "wit" });

struct Library;

/// A pile of texts.
struct Texts {
    name: String,
    texts: RefCell<Vec<String>>,
}

impl GuestPile for Texts {
    fn new(name: String) -> Self {
        Self {
            name,
            texts: RefCell::default(),
        }
    }

    fn push(&self, text: String) -> u32 {
        self.texts.borrow_mut().push(text);
        self.texts.borrow().len() as u32
    }

    fn pop(&self) -> Option<String> {
        self.texts.borrow_mut().pop()
    }

    fn join(piles: Vec<Pile>) -> Pile {
        let mut joined = Self::new(String::new());
        for pile in piles {
            let pile = pile.into_inner::<Self>();
            joined.name += &pile.name;
            joined.texts.get_mut().append(&mut pile.texts.borrow_mut());
        }
        Pile::new(joined)
    }
}

impl Drop for Texts {
    fn drop(&mut self) {
        println!(
            "library: the pile {} ends with {}",
            self.name,
            self.texts.borrow().len()
        );
    }
}

/// Returns the point on the other side of the origin, with the next letter.
fn opposite(point: Point) -> Point {
    Point {
        x: -point.x,
        y: -point.y,
        tag: char::from_u32(point.tag as u32 + 1).unwrap_or('?'),
    }
}

impl Guest for Library {
    type Pile = Texts;

    fn numbers(
        a: bool,
        b: u8,
        c: i8,
        d: u16,
        e: i16,
        f: u32,
        g: i32,
        h: u64,
        i: i64,
        j: f32,
        k: f64,
        l: char,
    ) -> (bool, u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, char) {
        let l = char::from_u32(l as u32 + 1).unwrap_or('?');
        (
            !a,
            b.wrapping_add(1),
            c.wrapping_add(1),
            d.wrapping_add(1),
            e.wrapping_add(1),
            f.wrapping_add(1),
            g.wrapping_add(1),
            h.wrapping_add(1),
            i.wrapping_add(1),
            -j,
            -k,
            l,
        )
    }

    fn glue(
        a: String,
        b: String,
        c: String,
        d: String,
        e: String,
        f: String,
        g: String,
        h: String,
        i: u8,
    ) -> String {
        let texts = [a, b, c, d, e, f, g, h];
        texts.join(&char::from(i).to_string())
    }

    fn turn(of: Shape) -> Shape {
        match of {
            Shape::Nothing => Shape::Circle(1.5),
            Shape::Circle(radius) => Shape::Path(vec![Point {
                x: radius as i16,
                y: radius.into(),
                tag: 'o',
            }]),
            Shape::Path(points) => {
                Shape::Named((format!("{} points", points.len()), points.len() as u8))
            }
            Shape::Named((text, number)) => Shape::Table(Row {
                id: number.into(),
                name: text,
                points: Vec::new(),
                note: None,
                marks: Marks::BOLD | Marks::MARKED,
            }),
            Shape::Table(row) if row.marks.contains(Marks::MARKED) => Shape::Colored(Color::Red),
            Shape::Table(_) => Shape::Nothing,
            Shape::Colored(color) => Shape::Named((name(next(color)), 0)),
        }
    }

    fn invert(rows: Vec<Row>) -> Vec<Row> {
        let invert = |row: Row| Row {
            id: !row.id,
            name: row.name.chars().rev().collect(),
            points: row.points.into_iter().rev().map(opposite).collect(),
            note: row.note.map(|note| note + "!"),
            marks: !row.marks,
        };
        rows.into_iter().rev().map(invert).collect()
    }

    fn parse(text: String) -> Result<Vec<i64>, Problem> {
        if text.is_empty() {
            return Err(Problem::Late);
        }
        let mut at = 0;
        let mut numbers = Vec::new();
        for word in text.split(',') {
            match word.parse() {
                Ok(number) => numbers.push(number),
                Err(_) if word.is_empty() => return Err(Problem::At(at)),
                Err(_) => return Err(Problem::Because(word.into())),
            }
            at += word.len() as u32 + 1;
        }
        Ok(numbers)
    }

    fn deep(of: Option<Option<Result<Color, String>>>) -> Option<Option<Result<Color, String>>> {
        match of {
            None => Some(None),
            Some(None) => None,
            Some(Some(Ok(color))) => Some(Some(Err(name(color)))),
            Some(Some(Err(_))) => Some(Some(Ok(Color::Blue))),
        }
    }

    fn grow(of: Vec<Vec<String>>) -> Vec<Vec<String>> {
        let grown = of.into_iter().map(|mut list| {
            list.push(list.len().to_string());
            list
        });
        grown.chain([Vec::new()]).collect()
    }

    fn highest(of: Vec<PileBorrow<'_>>) -> Result<u32, ()> {
        let heights = of
            .iter()
            .map(|pile| pile.get::<Texts>().texts.borrow().len());
        let highest = heights
            .enumerate()
            .max_by_key(|&(at, height)| (height, usize::MAX - at));
        highest.map(|(at, _)| at as u32).ok_or(())
    }
}

export!(Library);
