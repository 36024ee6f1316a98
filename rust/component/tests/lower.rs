// SPDX-License-Identifier: Apache-2.0
//! Components in the form of toolchains, lowered: what the core module imports, and what is refused.

use wasmparser::{ExternalKind, Operator, Parser, Payload, TypeRef};
use wisp_component::{world, Error, Import};

/// A program that writes "hi" to standard output. As toolchains do it, the function that needs the program's memory
/// is called through a table that is filled last.
const HELLO: &str = concat!(
    "(component\n",
    include_str!("stdout.wat"),
    r#"  (core module $main
    (import "out" "get-stdout" (func $get (result i32)))
    (import "out" "write" (func $write (param i32 i32 i32 i32)))
    (import "out" "drop" (func $drop (param i32)))
    (memory (export "memory") 1)
    (table 1 funcref)
    (elem (i32.const 0) func $get)
    (global (export "__heap_base") i32 (i32.const 64))
    (data (i32.const 16) "hi\n")
    (func (export "run") (result i32)
      (local $stream i32)
      (local.set $stream (call $get))
      (call $write (local.get $stream) (i32.const 16) (i32.const 3) (i32.const 32))
      (call $drop (local.get $stream))
      (i32.load8_u (i32.const 32)))
    (func (export "unused")))
  (core module $shim
    (table (export "$imports") 1 1 funcref)
    (func (export "0") (param i32 i32 i32 i32)
      (call_indirect (param i32 i32 i32 i32)
        (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 0))))
  (core module $fixup
    (import "" "0" (func (param i32 i32 i32 i32)))
    (import "" "$imports" (table 1 1 funcref))
    (elem (i32.const 0) func 0))
  (core instance $shims (instantiate $shim))
  (core func $get (canon lower (func $stdout "get-stdout")))
  (core func $drop (canon resource.drop $stream))
  (alias core export $shims "0" (core func $write))
  (core instance $out (export "get-stdout" (func $get)) (export "write" (func $write)) (export "drop" (func $drop)))
  (core instance $m (instantiate $main (with "out" (instance $out))))
  (alias core export $m "memory" (core memory $memory))
  (core func $lowered
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory)))
  (alias core export $shims "$imports" (core table $table))
  (core instance $args (export "$imports" (table $table)) (export "0" (func $lowered)))
  (core instance (instantiate $fixup (with "" (instance $args))))
  (func $run (result (result)) (canon lift (core func $m "run")))
  (instance $exported (export "run" (func $run)))
  (export "wasi:cli/run@0.2.6" (instance $exported)))"#
);

/// Lowers a component whose parts have the usual heap.
fn lower(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    wisp_component::lower(bytes, 0)
}

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// Returns the imported functions as `module name`, and the exports.
fn outline(module: &[u8]) -> (Vec<String>, Vec<(String, ExternalKind)>) {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.unwrap();
                    assert!(matches!(import.ty, TypeRef::Func(_)));
                    imports.push(format!("{} {}", import.module, import.name));
                }
            }
            Payload::ExportSection(section) => {
                exports.extend(section.into_iter().map(|e| e.map(|e| (e.name.into(), e.kind)).unwrap()));
            }
            _ => {}
        }
    }
    (imports, exports)
}

fn refusal(text: &str) -> String {
    lower(&binary(text)).unwrap_err().to_string()
}

/// Returns a component whose module imports one function, which the component lowers from this import.
fn importing(import: &str, name: &str) -> String {
    format!(
        r#"(component
          (import "{import}" (instance $i (export "{name}" (func))))
          (core func $f (canon lower (func $i "{name}")))
          (core module $m
            (import "i" "f" (func $f))
            (memory (export "memory") 1)
            (func (export "run") (result i32) (call $f) (i32.const 0)))
          (core instance $i (export "f" (func $f)))
          (core instance $c (instantiate $m (with "i" (instance $i))))
          (func $run (result (result)) (canon lift (core func $c "run")))
          (instance $r (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $r)))"#
    )
}

#[test]
fn a_program_becomes_one_module_over_the_functions_of_the_host() {
    let component = binary(HELLO);
    let module = lower(&component).unwrap();
    assert_eq!(module[..8], *b"\0asm\x01\0\0\0");
    let (imports, exports) = outline(&module);
    assert_eq!(imports, ["wasi_snapshot_preview1 fd_write", "wasi_snapshot_preview1 proc_exit"]);
    let global = ExternalKind::Global;
    let exported = [("__heap_base", global), ("memory", ExternalKind::Memory), ("_start", ExternalKind::Func)];
    assert_eq!(exports, exported.map(|(name, kind)| (name.to_string(), kind)));
}

#[test]
fn functions_in_tables_follow_their_new_indices() {
    let module = lower(&binary(HELLO)).unwrap();
    let mut first = None;
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(&module) {
        match payload.unwrap() {
            Payload::ElementSection(section) => {
                let wasmparser::ElementItems::Functions(items) = section.into_iter().next().unwrap().unwrap().items
                else {
                    panic!("expected functions")
                };
                first = items.into_iter().next().map(Result::unwrap);
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            _ => {}
        }
    }
    // the table had `get-stdout`: its shim returns the handle 2
    let body = &bodies[first.unwrap() as usize - outline(&module).0.len()];
    let ops: Vec<_> = body.get_operators_reader().unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(ops, [Operator::I32Const { value: 2 }, Operator::End]);
}

#[test]
fn the_world_names_interfaces_with_the_functions_that_are_called() {
    let world = world(&binary(HELLO)).unwrap();
    let import = |name: &str, functions: &[&str]| Import {
        name: name.into(),
        functions: functions.iter().map(|&function| function.into()).collect(),
    };
    assert_eq!(world.exports, ["wasi:cli/run@0.2.6"]);
    let streams = ["[resource-drop]output-stream", "[method]output-stream.blocking-write-and-flush"];
    assert_eq!(
        world.imports,
        [import("wasi:io/streams@0.2.6", &streams), import("wasi:cli/stdout@0.2.6", &["get-stdout"])]
    );
}

#[test]
fn imports_that_nobody_provides_are_named_with_the_reason() {
    for (import, name, reason) in [
        (
            "wasi:http/outgoing-handler@0.2.0",
            "handle",
            "Wisp has no HTTP; leave it out, or build an app that is no component",
        ),
        ("wasi:cli/stdout@0.3.0", "get-stdout", "another WASI than 0.2; build the component for WASI 0.2"),
        (
            "wasi:cli/stdout@0.2.0-rc-2023-11-10",
            "get-stdout",
            "a draft of WASI 0.2; build the component with a released",
        ),
        ("wasi:cli/stdout@0.20.0", "get-stdout", "another WASI than 0.2"),
        ("wasi:cli/stdout", "get-stdout", "it has no version, expected one of WASI 0.2"),
        ("wasi:cli/stdout@0.2.0", "get-stderr", "Wisp does not provide this"),
        ("acme:lamp/switch@0.3.1", "on", "not an interface of WASI"),
        ("wasi:keyvalue/store@0.2.0", "open", "another version of the proposal"),
        ("wasi:keyvalue/store@0.2.0-draft", "open", "its parameters or results differ from those in the proposal"),
        ("wasi:keyvalue/atomics@0.2.0-draft2", "increment", "Wisp does not provide this; doc/wasi-hardware.md lists"),
        ("wasi:blobstore/container@0.2.0-draft", "open", "Wisp does not provide this; doc/components.md lists"),
        ("wasi:spi/spi@0.2.0", "open", "another version of the proposal"),
        ("wasi:spi/spi", "open", "its parameters or results differ from those in the proposal"),
        ("acme:lamp/switch@1.0.0", "on", "not an interface of WASI"),
        ("wisp:gpio/gpio@2.0.0", "open", "the interface is of another version"),
        ("wisp:gpio/gpio", "open", "the interface is of another version"),
        ("wisp:gpio/gpio@1.0.0", "fly", "Wisp has no such function"),
        ("wisp:gpio/gpio@1.0.0", "open", "its parameters or results differ; build the component with the packages in"),
    ] {
        let text = refusal(&importing(import, name));
        assert!(text.starts_with("the component cannot be linked:\n"), "{text}");
        assert!(text.contains(&format!("import `{import}` `{name}`: {reason}")), "{text}");
    }
}

#[test]
fn a_function_of_another_type_than_wasi_gives_it_is_refused() {
    let text = refusal(&importing("wasi:cli/stdout@0.2.0", "get-stdout"));
    assert!(text.contains("import `wasi:cli/stdout@0.2.0` `get-stdout`: its parameters or results differ"), "{text}");
}

#[test]
fn what_cannot_be_lowered_is_refused_in_words() {
    let library = r#"(component
      (core module $m (memory (export "memory") 1) (func (export "f")))
      (core instance $i (instantiate $m))
      (func $f (canon lift (core func $i "f")))
      (export "acme-f" (func $f)))"#;
    let nothing = "(component)";
    let two = r#"(component
      (core module $m (memory (export "memory") 1))
      (core instance (instantiate $m)) (core instance (instantiate $m)))"#;
    let asynchronous = r#"(component
      (core module $m (func (export "f") (result i32) (i32.const 0)) (func (export "c") (param i32 i32 i32) (result i32)
        (i32.const 0)))
      (core instance $i (instantiate $m))
      (func (export "f") async (canon lift (core func $i "f") async (callback (core func $i "c")))))"#;
    let imported = r#"(component (import "m" (core module $m)) (core instance (instantiate $m)))"#;
    let later = r#"(component
      (core module $m (memory (export "memory") 1) (func (export "run") (result i32) (i32.const 0)))
      (core instance $i (instantiate $m))
      (func $run (result (result)) (canon lift (core func $i "run")))
      (instance $r (export "run" (func $run)))
      (export "wasi:cli/run@0.3.0" (instance $r)))"#;
    let table = r#"(component
      (core module $other (table (export "t") 1 funcref))
      (core module $m (import "other" "t\1b" (table 1 funcref)) (memory (export "memory") 1))
      (core instance $o (instantiate $other))
      (alias core export $o "t" (core table $t))
      (core instance $renamed (export "t\1b" (table $t)))
      (core instance (instantiate $m (with "other" (instance $renamed)))))"#;
    for (text, reason) in [
        (library, "it exports `acme-f` and no `wasi:cli/run@0.2`; build a program with a `main`, not a library"),
        (later, "it exports `wasi:cli/run@0.3.0` and no `wasi:cli/run@0.2`; build it for WASI 0.2"),
        (nothing, "it has no core module with a memory"),
        (two, "it has several core modules with code of their own"),
        (table, "its main module imports the table `other` `t\\u{1b}`"),
        (asynchronous, "it uses async functions, streams, futures or threads"),
        (imported, "it imports a core module"),
    ] {
        let found = refusal(text);
        assert!(found.starts_with("the component is not supported: ") && found.contains(reason), "{found}");
    }
}

#[test]
fn two_components_become_one_module_with_one_memory() {
    // in the form in which `wac plug` writes it: both inside, the second with the first as its argument
    let composed = r#"(component
      (component $greeter
        (core module $m (memory (export "memory") 1) (func (export "greet") (result i32) (i32.const 7)))
        (core instance $c (instantiate $m))
        (func $greet (result u32) (canon lift (core func $c "greet")))
        (instance $g (export "greet" (func $greet)))
        (export "acme:greet/greet@0.1.0" (instance $g)))
      (component $program
        (import "acme:greet/greet@0.1.0" (instance $g (export "greet" (func (result u32)))))
        (core func $greet (canon lower (func $g "greet")))
        (core instance $i (export "greet" (func $greet)))
        (core module $m (import "i" "greet" (func $greet (result i32))) (memory (export "memory") 1)
          (func (export "run") (result i32) (i32.ne (call $greet) (i32.const 7))))
        (core instance $c (instantiate $m (with "i" (instance $i))))
        (func $run (result (result)) (canon lift (core func $c "run")))
        (instance $r (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $r)))
      (instance $g (instantiate $greeter))
      (instance $p (instantiate $program (with "acme:greet/greet@0.1.0" (instance $g "acme:greet/greet@0.1.0"))))
      (alias export $p "wasi:cli/run@0.2.0" (instance $run))
      (export "wasi:cli/run@0.2.0" (instance $run)))"#;
    let module = lower(&binary(composed)).unwrap();
    let (imports, exports) = outline(&module);
    assert_eq!(imports, ["wasi_snapshot_preview1 proc_exit"]);
    let exported = [("memory", ExternalKind::Memory), ("_start", ExternalKind::Func)];
    assert_eq!(exports, exported.map(|(name, kind)| (name.to_string(), kind)));
    // neither part asks for the size of its memory, and no linker says where its heap begins
    assert_eq!(memory(&module), [(2 * 65_536, Some(0))]);
    let world = world(&binary(composed)).unwrap();
    assert_eq!(world.exports, ["wasi:cli/run@0.2.0"]);
    // the first part is left out
    let alone = composed.replacen(
        "(instance $g (instantiate $greeter))",
        r#"(import "acme:greet/greet@0.1.0"
      (instance $i (export "greet" (func (result u32)))))
      (instance $g (export "acme:greet/greet@0.1.0" (instance $i)))"#,
        1,
    );
    let text = refusal(&alone);
    let line = "import `acme:greet/greet@0.1.0` `greet`: not an interface of WASI; compose the component with one that exports it";
    assert!(text.contains(line), "{text}");
}

/// Returns bytes and binary logarithm of the page size of each memory.
fn memory(module: &[u8]) -> Vec<(u64, Option<u32>)> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::MemorySection(memories) = payload.unwrap() {
            found.extend(memories.into_iter().map(|memory| memory.map(|ty| (ty.initial, ty.page_size_log2)).unwrap()));
        }
    }
    found
}

#[test]
fn damaged_bytes_are_no_component() {
    let component = binary(HELLO);
    // a component without its end may be a shorter one, so what is lost here is in the middle
    for cut in [9, 100, component.len() / 2, component.len() - 1] {
        let result = lower(&component[..cut]);
        assert!(matches!(result, Err(Error::Invalid(_))), "{cut}: {result:?}");
    }
    assert!(matches!(lower(b"\0asm\x0d\0\x01"), Err(Error::Invalid(_))));
}

#[test]
fn a_component_that_translates_from_preview_1_leaves_those_imports_to_the_host() {
    let component = r#"(component
      (core module $main
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (drop (call $yield))))
      (core module $adapter
        (import "main" "_start" (func $start))
        (func (export "yield") (result i32) (i32.const 0))
        (func (export "run") (result i32) (call $start) (i32.const 0)))
      (core module $shim
        (table (export "t") 1 1 funcref)
        (func (export "yield") (result i32) (call_indirect (result i32) (i32.const 0))))
      (core module $fixup
        (import "" "yield" (func (result i32)))
        (import "" "t" (table 1 1 funcref))
        (elem (i32.const 0) func 0))
      (core instance $s (instantiate $shim))
      (core instance $preview1 (export "sched_yield" (func $s "yield")))
      (core instance $m (instantiate $main (with "wasi_snapshot_preview1" (instance $preview1))))
      (core instance $start (export "_start" (func $m "_start")))
      (core instance $a (instantiate $adapter (with "main" (instance $start))))
      (alias core export $s "t" (core table $t))
      (core instance $args (export "t" (table $t)) (export "yield" (func $a "yield")))
      (core instance (instantiate $fixup (with "" (instance $args))))
      (func $run (result (result)) (canon lift (core func $a "run")))
      (instance $r (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $r)))"#;
    let (imports, exports) = outline(&lower(&binary(component)).unwrap());
    assert_eq!(imports, ["wasi_snapshot_preview1 sched_yield"]);
    assert!(exports.contains(&("_start".into(), ExternalKind::Func)));
}

#[test]
fn the_world_of_a_refused_component_is_known() {
    let asynchronous = r#"(component
      (import "acme:lamp/switch@1.0.0" (instance $lamp (export "on" (func async))))
      (core func (canon lower (func $lamp "on") async))
      (core module $m (func (export "f") (result i32) (i32.const 0)) (func (export "c") (param i32 i32 i32) (result i32)
        (i32.const 0)))
      (core instance $i (instantiate $m))
      (func (export "f") async (canon lift (core func $i "f") async (callback (core func $i "c")))))"#;
    let resource = r#"(component
      (import "acme:lamp/switch@1.0.0" (instance $lamp (export "on" (func))))
      (type $own (resource (rep i32)))
      (core func (canon resource.drop $own))
      (core func (canon lower (func $lamp "on")))
      (core module $m (func (export "f")))
      (core instance $i (instantiate $m))
      (func (export "f") (canon lift (core func $i "f"))))"#;
    for text in [asynchronous, resource] {
        assert!(matches!(lower(&binary(text)), Err(Error::Unsupported(_))), "{text}");
        let world = world(&binary(text)).unwrap();
        assert_eq!(world.exports, ["f"]);
        assert_eq!(world.imports, [Import { name: "acme:lamp/switch@1.0.0".into(), functions: vec!["on".into()] }]);
    }
}

/// Returns a program that drops a pollable. The type of pollables is `drops` in the component, after these definitions.
fn dropping(definitions: &str) -> String {
    format!(
        r#"(component
          (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
          (alias export $poll "pollable" (type $p))
          {definitions}
          (core func $drop (canon resource.drop $drops))
          (core module $m
            (import "i" "drop" (func $drop (param i32)))
            (memory (export "memory") 1)
            (func (export "run") (result i32) (call $drop (i32.const 16)) (i32.const 0)))
          (core instance $i (export "drop" (func $drop)))
          (core instance $c (instantiate $m (with "i" (instance $i))))
          (func $run (result (result)) (canon lift (core func $c "run")))
          (instance $r (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $r)))"#
    )
}

#[test]
fn every_name_of_a_resource_leads_to_its_drop() {
    let of_the_clock = r#"
      (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer 1 $p (type $q)) (export "pollable" (type (eq $q)))))
      (alias export $clock "pollable" (type $drops))"#;
    let first = lower(&binary(&dropping("(alias export $poll \"pollable\" (type $drops))"))).unwrap();
    // the drop of other resources does nothing, so its code is shorter
    let nothing = dropping("(alias export $poll \"pollable\" (type $drops))").replace("pollable", "acme");
    assert_ne!(first, lower(&binary(&nothing)).unwrap());
    for definitions in ["(import \"p\" (type $drops (eq $p)))", of_the_clock] {
        assert_eq!(lower(&binary(&dropping(definitions))).unwrap(), first, "{definitions}");
    }
    let text = refusal(&dropping("(import \"own\" (type $drops (sub resource)))"));
    assert!(text.contains("import `[resource-drop]own`: the world imports it without an interface"), "{text}");
}

/// Returns a program with a resource of its own, which `ended` ends if it is given to the type.
fn with_resource(end: &str) -> String {
    format!(
        r#"(component
          (core module $ends (table (export "t") 1 1 funcref)
            (func (export "end") (param i32) (call_indirect (param i32) (local.get 0) (i32.const 0))))
          (core instance $e (instantiate $ends))
          (alias core export $e "end" (core func $end))
          (type $r (resource (rep i32) {end}))
          (core func $new (canon resource.new $r))
          (core func $rep (canon resource.rep $r))
          (core func $drop (canon resource.drop $r))
          (core module $m
            (import "r" "new" (func $new (param i32) (result i32)))
            (import "r" "rep" (func $rep (param i32) (result i32)))
            (import "r" "drop" (func $drop (param i32)))
            (memory (export "memory") 1)
            (global $ended (mut i32) (i32.const 0))
            (func (export "ended") (param i32) (global.set $ended (local.get 0)))
            (func (export "run") (result i32)
              (call $drop (call $rep (call $new (i32.const 7)))) (global.get $ended)))
          (core module $fill (import "" "t" (table 1 1 funcref)) (import "" "f" (func (param i32))) (elem (i32.const 0) func 0))
          (core instance $i (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop)))
          (core instance $c (instantiate $m (with "r" (instance $i))))
          (alias core export $e "t" (core table $t))
          (alias core export $c "ended" (core func $ended))
          (core instance $f (export "t" (table $t)) (export "f" (func $ended)))
          (core instance (instantiate $fill (with "" (instance $f))))
          (func $run (result (result)) (canon lift (core func $c "run")))
          (instance $x (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $x)))"#
    )
}

/// Returns the callees in the function with this index among those that a module defines.
fn callees(module: &[u8], function: usize) -> Vec<u32> {
    let mut bodies = Parser::new(0).parse_all(module).filter_map(|payload| match payload.unwrap() {
        Payload::CodeSectionEntry(body) => Some(body),
        _ => None,
    });
    let ops = bodies.nth(function).unwrap().get_operators_reader().unwrap();
    let callee = |op| if let Operator::Call { function_index } = op { Some(function_index) } else { None };
    ops.into_iter().filter_map(|op| callee(op.unwrap())).collect()
}

#[test]
fn a_resource_of_the_program_itself_is_ended_by_its_own_function() {
    let module = lower(&binary(&with_resource("(dtor (core func $end))"))).unwrap();
    let imports = outline(&module).0.len() as u32;
    // the first function of the program is `ended`, and the second `run`
    let called = callees(&module, 1);
    assert_eq!(called[2], imports, "{called:?}");
    assert_eq!(called[0], called[1], "{called:?}");
    let called = callees(&lower(&binary(&with_resource(""))).unwrap(), 1);
    assert!(called[2] > imports + 1, "{called:?}");
}

#[test]
fn aliases_without_end_are_refused_and_do_not_overflow_the_stack() {
    let mut bags = String::from("(core instance $i0 (export \"f\" (func $f)))");
    for level in 1..900 {
        bags += &format!("(core instance $i{level} (export \"f\" (func $i{} \"f\")))", level - 1);
    }
    let text = importing("wasi:cli/stdout@0.2.0", "get-stdout")
        .replace("(core instance $i (export \"f\" (func $f)))", &bags)
        .replace("(with \"i\" (instance $i))", "(with \"i\" (instance $i899))");
    let text = refusal(&text);
    assert!(text.contains("it renames a function more than 64 times"), "{text}");
    let names = (1..4000).map(|level| format!("(export \"a{level}\" (instance $i{}))", level - 1));
    let names = names.enumerate().map(|(at, export)| export.replacen("(export", &format!("(export $i{}", at + 1), 1));
    let text =
        importing("wasi:cli/stdout@0.2.0", "get-stdout").replacen("(instance $i ", "(instance $i0 ", 1).replacen(
            "(core func $f (canon lower (func $i ",
            &format!("{} (core func $f (canon lower (func $i3999 ", names.collect::<String>()),
            1,
        );
    let text = refusal(&text);
    assert!(text.contains("`get-stdout`: its parameters or results differ"), "{text}");
}

/// Returns a component whose main module has this many functions besides `run`, which begins with this code.
fn with_functions(functions: usize, code: &str) -> Vec<u8> {
    let functions = "(func)".repeat(functions);
    binary(&format!(
        r#"(component
          (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))
          (core func $now (canon lower (func $clock "now")))
          (core module $m
            (import "i" "now" (func $now (result i64)))
            (memory (export "memory") 1)
            (tag $failed (param i32))
            (func $run (export "run") (result i32) {code} (i32.const 0))
            {functions}
            (@custom ".debug_line" "lines"))
          (core instance $i (export "now" (func $now)))
          (core instance $c (instantiate $m (with "i" (instance $i))))
          (func $run (result (result)) (canon lift (core func $c "run")))
          (instance $r (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $r)))"#
    ))
}

/// Returns names of the custom sections, and the number of tags.
fn sections(module: &[u8]) -> (Vec<String>, u32) {
    let (mut customs, mut tags) = (Vec::new(), 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::CustomSection(section) => customs.push(section.name().to_string()),
            Payload::TagSection(section) => tags = section.count(),
            _ => {}
        }
    }
    (customs, tags)
}

#[test]
fn debug_information_stays_unless_the_code_moves() {
    // the functions that are added make the count of functions one byte longer
    // and so does the call of a function with a higher index
    let call = "(drop (call $now))";
    for (functions, code, kept) in [(100, call, true), (126, "", false), (200, "", true), (200, call, false)] {
        let module = lower(&with_functions(functions, code)).unwrap();
        let (customs, tags) = sections(&module);
        assert_eq!(customs.iter().any(|name| name == ".debug_line"), kept, "{functions}");
        assert_eq!(tags, 1);
    }
}

#[test]
fn damaged_names_are_left_out() {
    let mut component = with_functions(0, "");
    let name = component.windows(5).position(|window| window == b"\x04name").unwrap();
    // the size of the first part is larger than the section
    component[name + 6] = 0x7f;
    let (customs, _) = sections(&lower(&component).unwrap());
    assert!(customs.contains(&"name".to_string()));
}
