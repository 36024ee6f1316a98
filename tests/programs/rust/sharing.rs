// SPDX-License-Identifier: Apache-2.0
// memory: 32768

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, OnceLock};

struct Tree {
    name: &'static str,
    parent: RefCell<Weak<Tree>>,
    children: RefCell<Vec<Rc<Tree>>>,
}
impl Drop for Tree {
    fn drop(&mut self) {
        println!("{} gone", self.name);
    }
}
fn tree(name: &'static str) -> Rc<Tree> {
    Rc::new(Tree {
        name,
        parent: RefCell::default(),
        children: RefCell::default(),
    })
}
fn setting() -> &'static String {
    static SETTING: OnceLock<String> = OnceLock::new();
    SETTING.get_or_init(|| "computed once".to_string())
}
thread_local!(static COUNT: Cell<u32> = const { Cell::new(5) });

fn main() {
    let root = tree("root");
    let leaf = tree("leaf");
    *leaf.parent.borrow_mut() = Rc::downgrade(&root);
    root.children.borrow_mut().push(leaf.clone());
    println!(
        "{} {} {}",
        Rc::strong_count(&leaf),
        Rc::weak_count(&root),
        leaf.parent.borrow().upgrade().unwrap().name
    );
    drop(root);
    println!("{}", leaf.parent.borrow().upgrade().is_none());
    let shared = Arc::new(Mutex::new(vec![1]));
    let other = Arc::clone(&shared);
    other.lock().unwrap().push(2);
    println!("{:?} {}", shared.lock().unwrap(), setting());
    COUNT.with(|count| count.set(count.get() + 1));
    println!(
        "{} {}",
        COUNT.with(Cell::get),
        RefCell::new(1).try_borrow_mut().is_ok()
    );
}
