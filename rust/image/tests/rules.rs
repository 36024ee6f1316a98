// SPDX-License-Identifier: Apache-2.0
//! The rules of the verifier, one by one: for each op and each of its operands an image that passes, and changes of
//! that operand alone, each of which has to be refused by the rule that the table of rules names.

mod build;

use build::{function, Sample, ACC, FRAME};
use wisp_image::ops::{op, Op, Operand, Sem, COUNT};
use wisp_image::verify::{rules, Rule};

/// An operand of an op, and the number of its first word.
struct Place {
    operand: Operand,
    word: usize,
}

/// Returns all opcodes, or under Miri, where one takes seconds, some of each kind.
fn opcodes() -> impl Iterator<Item = u16> {
    (0..COUNT as u16).step_by(if cfg!(miri) { 61 } else { 1 })
}

fn places(op: &Op) -> Vec<Place> {
    let mut places = Vec::new();
    let mut word = 1;
    for part in op.parts() {
        for &operand in part.form {
            places.push(Place { operand, word });
            word += operand.words();
        }
    }
    places
}

/// Returns the words for this operand that no op may have in this place, and which rule each breaks.
fn wrong(sample: &Sample, place: &Place) -> Vec<(Vec<u16>, Rule)> {
    use Operand::*;
    let at = sample.op * 2;
    let one = |words: &[u16], rule| words.iter().map(|&word| (vec![word], rule)).collect::<Vec<_>>();
    let long = |value: i32, rule| (vec![value as u16, (value >> 16) as u16], rule);
    // inside of the op, or outside of the function
    let inside = (sample.op_words * 2 - 2) as u16;

    match place.operand {
        None | DstAcc | Acc | Imm16 | Imm32 | Imm64 | Offset => Vec::new(),
        Dst | Slot | DstFirst => one(&[FRAME, FRAME - 3, 17, 0xfffc], Rule::SlotInFrame),
        Dst64 | Slot64 => one(&[FRAME, FRAME - 4, 18, 0xfffc], Rule::SlotInFrame),
        Forward => one(&[0, 1, inside, 0xfffe], Rule::BranchTarget),
        // the entry, and what is inside of the op before
        Back => one(&[1, 2, at as u16, at as u16 + 2, 0xfffe], Rule::BranchTarget),
        Far => [1, 2, -(at as i32), 0x7fff_fffe, i32::MIN].map(|value| long(value, Rule::BranchTarget)).into(),
        Targets => {
            let mut all = one(&[0xffff], Rule::OperandsInFunction);
            for target in [0, 1, 2, 0xfffe] {
                all.push((vec![1, target], Rule::BranchTarget));
            }
            all
        }
        Frame => one(&[0, 4, 42, FRAME + 4, 0xfffc], Rule::CallFrame),
        Callee => one(&[0, 1, (-(sample.start as i32) / 2 + 1) as u16, 0x7fff], Rule::CallTarget),
        CalleeFar => [0, 2, 0x7fff_fffe, i32::MIN].map(|value| long(value, Rule::CallTarget)).into(),
        Import | Func | TableIndex | Element | Data => one(&[9, 0xffff], Rule::Index),
        Global | Global64 | GlobalImport | GlobalImport64 => {
            let mut all =
                one(&[if matches!(place.operand, Global | Global64) { 2 } else { 99 }, 999, 0xffff], Rule::Index);
            all.extend(one(
                &[if matches!(place.operand, Global64 | GlobalImport64) { 0 } else { build::wide(place.operand) }],
                Rule::Type,
            ));
            all
        }
        Type => {
            let mut all = one(&[99, 0xffff], Rule::Index);
            all.extend(one(&[build::MANY], Rule::CallFrame));
            all
        }
        FrameSize => one(&[FRAME - 2, 4, 0], Rule::FrameSize),
        Zero => {
            [[3, 1], [FRAME, 1], [0, 0xffff], [8, FRAME / 4 - 1]].map(|zero| (zero.to_vec(), Rule::SlotInFrame)).into()
        }
    }
}

#[test]
fn every_operand_of_every_op_is_checked() {
    for opcode in opcodes() {
        let op = op(opcode).unwrap();
        let sample = Sample::new(opcode);
        let name = format!("{} {:?}", op.sem.name(), op.form);
        assert_eq!(sample.check(), Ok(()), "{name}: the sample is right");
        for place in places(&op) {
            let (_, allowed) = place.operand.rule();
            let mut broken = Vec::new();
            for (words, rule) in wrong(&sample, &place) {
                let got = sample.with(place.word, &words).check();
                assert_eq!(got, Err(rule), "{name}: {:?} {words:x?}", place.operand);
                assert!(allowed.contains(&rule), "{rule:?} is no rule of {:?}", place.operand);
                broken.push(rule);
            }
            let tried = |rule: &&Rule| broken.contains(rule) || matches!(place.operand, Operand::Acc);
            assert!(allowed.iter().all(|rule| tried(&rule)), "{name}: {:?} has rules without a case", place.operand);
        }
    }
}

#[test]
fn immediates_and_offsets_may_be_anything() {
    for opcode in opcodes() {
        let sample = Sample::new(opcode);
        for place in places(&op(opcode).unwrap()) {
            if matches!(place.operand, Operand::Imm16 | Operand::Imm32 | Operand::Imm64 | Operand::Offset) {
                for value in [0, 1, 0x7fff, 0x8000, 0xffff] {
                    let words = vec![value; place.operand.words()];
                    assert_eq!(sample.with(place.word, &words).check(), Ok(()));
                }
            }
        }
    }
}

#[test]
fn the_accumulator_is_read_only_behind_an_op_that_wrote_it() {
    let mut readers = 0;
    for opcode in opcodes() {
        let op = op(opcode).unwrap();
        let reads = op.parts().next().unwrap().form.contains(&Operand::Acc);
        let sample = Sample::new(opcode);
        // the op before computes 64 bits, which the accumulator does not hold
        let without = sample.with_before(&function::mov64());
        if op.parts().next().unwrap().sem == Sem::Enter {
            continue;
        }
        assert_eq!(
            without.check(),
            if reads { Err(Rule::Accumulator) } else { Ok(()) },
            "{} {:?}",
            op.sem.name(),
            op.form
        );
        // a branch of another op goes there
        let branched = sample.branched();
        assert_eq!(
            branched.check(),
            if reads { Err(Rule::BranchTarget) } else { Ok(()) },
            "{} {:?}",
            op.sem.name(),
            op.form
        );
        readers += usize::from(reads);
    }
    assert!(readers > if cfg!(miri) { 2 } else { 100 });
}

#[test]
fn no_op_but_those_with_a_result_of_32_bits_leaves_something_in_the_accumulator() {
    for opcode in opcodes() {
        let op = op(opcode).unwrap();
        if op.ends_flow() {
            continue;
        }
        let last = op.parts().last().unwrap();
        let writes = matches!(last.form.first(), Some(Operand::Dst | Operand::DstAcc | Operand::DstFirst));
        let sample = Sample::new(opcode).with_after(&function::mov_acc());
        assert_eq!(
            sample.check(),
            if writes { Ok(()) } else { Err(Rule::Accumulator) },
            "{} {:?}",
            op.sem.name(),
            op.form
        );
    }
}

#[test]
fn an_op_ends_before_its_function_and_control_goes_on_somewhere() {
    for opcode in opcodes() {
        let op = op(opcode).unwrap();
        let sample = Sample::new(opcode);
        let name = format!("{} {:?}", op.sem.name(), op.form);
        for words in 1..sample.op_words {
            let got = sample.cut(words).check();
            assert_eq!(got, Err(Rule::OperandsInFunction), "{name}: cut behind word {words}");
        }
        if !op.ends_flow() && !op.form.iter().any(|o| matches!(o, Operand::Forward | Operand::Far | Operand::Targets)) {
            assert_eq!(sample.cut(sample.op_words).check(), Err(Rule::FallsThrough), "{name}");
        }
        assert_eq!(sample.with(0, &[opcode * 4 + 1]).check(), Err(Rule::KnownOp), "{name}");
        let enters = op.parts().next().unwrap().sem == Sem::Enter;
        let moved = if enters { sample.entered_twice() } else { sample.without_enter() };
        assert_eq!(moved.check(), Err(Rule::EnterFirst), "{name}");
    }
    for opcode in (COUNT as u16..16_384).step_by(41) {
        assert_eq!(Sample::new(0).with(0, &[opcode * 4]).check(), Err(Rule::KnownOp));
    }
}

/// Another function type (if any), other words, and the rule that they break.
type Broken = (Option<u16>, Vec<(Operand, u16)>, Rule);

/// Returns what breaks the rules that an op has for itself.
fn own(sem: Sem) -> Vec<Broken> {
    use build::{EXTERN_TABLE, I32, I64, NOTHING, TWO};
    use Operand::{Element, Global, Global64, GlobalImport, GlobalImport64, TableIndex, Type};
    let typed = |ty: u16| (Some(ty), vec![], Rule::Type);
    let word = |operand, word, rule| (None, vec![(operand, word)], rule);
    match sem {
        Sem::Return => vec![typed(I32), typed(I64)],
        Sem::Return32 => vec![typed(NOTHING), typed(I64), typed(TWO)],
        Sem::Return64 => vec![typed(NOTHING), typed(I32), typed(TWO)],
        Sem::CallIndirect => vec![word(TableIndex, EXTERN_TABLE, Rule::Type)],
        Sem::ReturnCall => vec![word(Type, I32, Rule::Type), typed(I32), typed(TWO)],
        Sem::ReturnCallImport => vec![word(Type, I32, Rule::Type), typed(I32), typed(TWO)],
        Sem::ReturnCallIndirect => {
            vec![word(TableIndex, EXTERN_TABLE, Rule::Type), word(Type, I32, Rule::Type), typed(I32), typed(TWO)]
        }
        Sem::GlobalGet => [build::FUNC, build::EXTERN]
            .map(|kind| word(Global, build::own(kind, true), Rule::Type))
            .into_iter()
            .chain([build::FUNC, build::EXTERN].map(|kind| word(GlobalImport, build::imported(kind, true), Rule::Type)))
            .collect(),
        Sem::GlobalGetFunc | Sem::GlobalGetExtern => {
            let others = [build::NUMBER, if sem == Sem::GlobalGetFunc { build::EXTERN } else { build::FUNC }];
            others
                .into_iter()
                .flat_map(|kind| {
                    [
                        word(Global, build::own(kind, true), Rule::Type),
                        word(GlobalImport, build::imported(kind, true), Rule::Type),
                    ]
                })
                .collect()
        }
        Sem::GlobalSet | Sem::GlobalSetFunc | Sem::GlobalSetExtern => {
            let kind = match sem {
                Sem::GlobalSet => build::NUMBER,
                Sem::GlobalSetFunc => build::FUNC,
                _ => build::EXTERN,
            };
            let mut all = vec![
                word(Global, build::own(kind, false), Rule::Mutable),
                word(GlobalImport, build::imported(kind, false), Rule::Mutable),
            ];
            for other in [build::NUMBER, build::FUNC, build::EXTERN] {
                if other != kind {
                    all.push(word(Global, build::own(other, true), Rule::Type));
                    all.push(word(GlobalImport, build::imported(other, true), Rule::Type));
                }
            }
            all
        }
        Sem::GlobalSet64 => vec![
            word(Global64, build::own(build::WIDE, false), Rule::Mutable),
            word(GlobalImport64, build::imported(build::WIDE, false), Rule::Mutable),
        ],
        Sem::TableCopy => vec![word(TableIndex, EXTERN_TABLE, Rule::Type)],
        Sem::TableInit => {
            vec![word(TableIndex, EXTERN_TABLE, Rule::Type), word(Element, build::EXTERN_SEGMENT, Rule::Type)]
        }
        _ => vec![],
    }
}

#[test]
fn every_rule_of_an_op_is_enforced() {
    for opcode in opcodes() {
        let op = op(opcode).unwrap();
        let sample = Sample::new(opcode);
        for (number, part) in op.parts().enumerate() {
            let cases = own(part.sem);
            assert_eq!(rules::of(part.sem).is_some(), !cases.is_empty() || part.sem == Sem::Enter, "{:?}", part.sem);
            for (ty, words, rule) in cases {
                let mut changed = sample.clone();
                if let Some(ty) = ty {
                    changed = changed.of_type(ty);
                }
                let mut applies = true;
                for (operand, word) in words {
                    let before: usize = op.parts().take(number).flat_map(|p| p.form).map(|o| o.words()).sum();
                    match part.form.iter().position(|&o| o == operand) {
                        Some(at) => {
                            let at = 1 + before + part.form[..at].iter().map(|o| o.words()).sum::<usize>();
                            changed = changed.with(at, &[word]);
                        }
                        None => applies = false,
                    }
                }
                if applies {
                    assert_eq!(changed.check(), Err(rule), "{} {:?}", op.sem.name(), op.form);
                }
            }
        }
    }
}

#[test]
fn the_init_function_gives_constants_their_values() {
    use wisp_image::ops::{opcode, Class};
    let set = opcode(Class::Special, Sem::GlobalSet, &[Operand::Global, Operand::Slot]).unwrap();
    let constant = Sample::new(set).with(1, &[build::own(build::NUMBER, false)]);
    assert_eq!(constant.check(), Err(Rule::Mutable));
    assert_eq!(constant.as_init().check(), Ok(()));
    let set = opcode(Class::Special, Sem::GlobalSet, &[Operand::GlobalImport, Operand::Slot]).unwrap();
    let imported = Sample::new(set).with(1, &[build::imported(build::NUMBER, false)]);
    assert_eq!(imported.as_init().check(), Err(Rule::Mutable), "those of others are not its own to set");
    _ = ACC;
}

#[test]
fn every_rule_of_a_section_is_enforced() {
    let mut seen = Vec::new();
    for (section, what, change) in build::SECTION_CASES {
        let mut parts = build::Parts::new();
        change(&mut parts);
        assert!(parts.verify().is_err(), "{section}: {what}");
        seen.push(*section);
    }
    build::Parts::new().verify().expect("without a change it is right");
    for (section, rule) in rules::SECTIONS {
        assert!(seen.contains(section), "{section}: no case for: {rule}");
    }
}

#[test]
fn the_page_lists_the_rules() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../doc/ir.md");
    let page = std::fs::read_to_string(path).expect("the page can be read");
    let (begin, end) = ("<!-- rules: written by rust/image/tests/rules.rs -->\n", "<!-- rules end -->\n");
    let (before, rest) = page.split_once(begin).expect("the page has a place for the rules");
    let (_, after) = rest.split_once(end).expect("the place has an end");
    let mut text = String::from("\n| number | rule that is broken |\n|--:|---|\n");
    for rule in [
        Rule::KnownOp,
        Rule::OperandsInFunction,
        Rule::EnterFirst,
        Rule::FrameSize,
        Rule::SlotInFrame,
        Rule::CallFrame,
        Rule::BranchTarget,
        Rule::CallTarget,
        Rule::Index,
        Rule::FallsThrough,
    ] {
        text += &format!("| {} | {} |\n", rule.number(), rule.text());
    }
    text += "| 10 | it needs a feature that is not built into this runtime |\n";
    for rule in [Rule::Accumulator, Rule::Mutable, Rule::Type] {
        text += &format!("| {} | {} |\n", rule.number(), rule.text());
    }
    text += "\n| operand | is right if |\n|---|---|\n";
    let numbers = |rules: &[Rule]| {
        let all: Vec<_> = rules.iter().map(|rule| rule.number().to_string()).collect();
        if all.is_empty() {
            String::new()
        } else {
            format!(" ({})", all.join(", "))
        }
    };
    for operand in &Operand::ALL[1..] {
        let (rule, broken) = operand.rule();
        text += &format!("| {operand:?} | {rule}{} |\n", numbers(broken));
    }
    text += "\n| op | is right if |\n|---|---|\n";
    let mut seen = Vec::new();
    for opcode in 0..COUNT as u16 {
        let sem = op(opcode).unwrap().parts().next().unwrap().sem;
        if let Some((rule, broken)) = rules::of(sem).filter(|_| !seen.contains(&sem)) {
            text += &format!("| `{}` | {rule}{} |\n", sem.name(), numbers(&[broken]));
            seen.push(sem);
        }
    }
    text += "\n| section | is right if |\n|---|---|\n";
    for (section, rule) in rules::SECTIONS {
        text += &format!("| {section} | {rule} |\n");
    }
    text += "\n";
    let wanted = format!("{before}{begin}{text}{end}{after}");
    if std::env::var_os("WISP_WRITE_PAGES").is_some() {
        std::fs::write(path, &wanted).expect("the page can be written");
    }
    assert!(
        page == wanted || std::env::var_os("WISP_WRITE_PAGES").is_some(),
        "doc/ir.md does not list the rules; run this test with WISP_WRITE_PAGES=1"
    );
}
