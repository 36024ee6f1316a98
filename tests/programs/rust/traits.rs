// SPDX-License-Identifier: Apache-2.0
// memory: 32768

use std::fmt;
use std::ops::{Add, Index, Mul};

trait Shape {
    fn area(&self) -> f64;
    fn describe(&self) -> String {
        format!("area {:.2}", self.area())
    }
}
struct Circle(f64);
struct Square(f64);
impl Shape for Circle {
    fn area(&self) -> f64 {
        std::f64::consts::PI * self.0 * self.0
    }
}
impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
    fn describe(&self) -> String {
        format!("square of {}", self.0)
    }
}
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
struct V2 {
    x: i32,
    y: i32,
}
impl Add for V2 {
    type Output = V2;
    fn add(self, other: V2) -> V2 {
        V2 {
            x: self.x + other.x,
            y: self.y + other.y,
        }
    }
}
impl Mul<i32> for V2 {
    type Output = V2;
    fn mul(self, by: i32) -> V2 {
        V2 {
            x: self.x * by,
            y: self.y * by,
        }
    }
}
impl fmt::Display for V2 {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "<{}|{}>", self.x, self.y)
    }
}
struct Table<T, const N: usize>([T; N]);
impl<T, const N: usize> Index<usize> for Table<T, N> {
    type Output = T;
    fn index(&self, at: usize) -> &T {
        &self.0[at % N]
    }
}
fn largest<T: PartialOrd + Copy>(values: &[T]) -> Option<T> {
    values.iter().copied().fold(None, |most, v| {
        if most.map_or(true, |m| v > m) {
            Some(v)
        } else {
            most
        }
    })
}
fn adders() -> Vec<Box<dyn Fn(i32) -> i32>> {
    (1..=3)
        .map(|n| Box::new(move |x| x + n) as Box<dyn Fn(i32) -> i32>)
        .collect()
}

fn main() {
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Circle(1.5)), Box::new(Square(2.0))];
    for shape in &shapes {
        println!("{}", shape.describe());
    }
    println!(
        "{} {:?} {}",
        V2 { x: 1, y: 2 } + V2 { x: 3, y: 4 } * 2,
        V2::default(),
        V2 { x: 1, y: 0 } < V2 { x: 1, y: 1 }
    );
    println!(
        "{:?} {:?} {}",
        largest(&[1.5, 9.25, 3.0]),
        largest::<i32>(&[]),
        Table([1, 2, 3])[4]
    );
    println!("{:?}", adders().iter().map(|f| f(10)).collect::<Vec<_>>());
    let mut count = 0;
    let mut tick = || {
        count += 1;
        count
    };
    tick();
    println!("{}", tick());
}
