// SPDX-License-Identifier: Apache-2.0
//! A flame graph as SVG: a box for each chain of calls, as wide as its part of the counts, above the one that called it.

use std::fmt::Write;

use super::report::{totals, Unit};
use super::{Counts, Function};
use crate::xml::escaped;

/// Width of the picture, and height of a box, in pixels.
const WIDTH: f64 = 1200.0;
const HEIGHT: usize = 18;
/// Narrower boxes are left out.
const NARROWEST: f64 = 0.2;
/// Width of a letter of the names, at least.
const LETTER: f64 = 7.0;

/// A box of the picture.
struct Block {
    node: usize,
    depth: usize,
    left: f64,
    width: f64,
}

/// Returns a colour between red and yellow that is always the same for a function.
fn colour(function: Function) -> String {
    let mixed = function.wrapping_mul(0x9e37_79b9);
    format!("rgb({},{},{})", 205 + (mixed >> 27), 60 + (mixed >> 8) % 150, 40 + (mixed >> 16) % 40)
}

/// Places the boxes: children beside each other, over their parent.
fn blocks(counts: &Counts, totals: &[u64]) -> Vec<Block> {
    let scale = WIDTH / (totals[0] as f64).max(1.0);
    let mut placed = Vec::new();
    let mut open = vec![Block { node: 0, depth: 0, left: 0.0, width: WIDTH }];
    while let Some(block) = open.pop() {
        let mut left = block.left;
        for &child in counts.nodes[block.node].children.values() {
            let width = totals[child] as f64 * scale;
            if width >= NARROWEST {
                open.push(Block { node: child, depth: block.depth + 1, left, width });
            }
            left += width;
        }
        placed.push(block);
    }
    placed
}

/// Returns the picture.
pub fn svg(counts: &Counts, names: &[String], unit: Unit) -> String {
    let totals = totals(counts);
    let blocks = blocks(counts, &totals);
    let rows = 1 + blocks.iter().map(|block| block.depth).max().unwrap_or(0);
    let height = rows * HEIGHT;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"monospace\" font-size=\"11\">\n"
    );
    for block in &blocks {
        let node = &counts.nodes[block.node];
        let label = if block.node == 0 { "all".into() } else { names[node.function as usize].clone() };
        let percent = totals[block.node] as f64 * 100.0 / (totals[0] as f64).max(1.0);
        let letters = (block.width / LETTER) as usize;
        let shown: String = label.chars().take(if letters < 3 { 0 } else { letters }).collect();
        let (left, width, top) = (block.left, block.width, height - (block.depth + 1) * HEIGHT);
        let calls = if unit == Unit::Ops { format!(", {} calls", node.calls) } else { String::new() };
        let _ = writeln!(
            text,
            "<g><title>{} ({} {}, {percent:.1} %{calls})</title><rect x=\"{left:.2}\" y=\"{top}\" width=\"{width:.2}\" \
             height=\"{}\" fill=\"{}\"/><text x=\"{:.2}\" y=\"{}\">{}</text></g>",
            escaped(&label),
            totals[block.node],
            unit.name(),
            HEIGHT - 1,
            colour(node.function),
            left + 2.0,
            top + HEIGHT - 5,
            escaped(&shown)
        );
    }
    text.push_str("</svg>\n");
    text
}
