// SPDX-License-Identifier: Apache-2.0
//! From an op to its opcode: what an encoder asks for each instruction, so that it does not search the table.

use super::{sequences, Class, Operand, Sem, ALL, COUNT, ENDS_FLOW, PACKED, SEQUENCE, SINGLE};

/// No further op.
const END: u16 = u16::MAX;
/// Numbers that a [`Sem`] can have.
const SEMS: usize = 256;
/// Largest number of operands of one op: five bits each in 32 bits.
const FORM_MAX: usize = 6;

/// By opcode: how the op behaves.
static CLASSES: [Class; SINGLE] = {
    let mut classes = [Class::Special; SINGLE];
    let mut n = 0;
    while n < SINGLE {
        classes[n] = ALL[n].class;
        n += 1;
    }
    classes
};

/// By meaning the first opcode that has it, and by opcode the next with the same meaning.
static CHAINS: ([u16; SEMS], [u16; SINGLE]) = {
    let mut first = [END; SEMS];
    let mut next = [END; SINGLE];
    let mut n = SINGLE;
    while n > 0 {
        n -= 1;
        next[n] = first[ALL[n].sem as usize];
        first[ALL[n].sem as usize] = n as u16;
    }
    (first, next)
};

/// The sequences in ascending order of their parts: parts, opcode.
static BY_PARTS: [(u32, u16); sequences::COUNT] = {
    let mut sorted = [(0, 0); sequences::COUNT];
    let mut n = 0;
    while n < sequences::COUNT {
        let parts = PACKED[SINGLE + n] & !(ENDS_FLOW | SEQUENCE);
        let mut place = n;
        while place > 0 && sorted[place - 1].0 > parts {
            sorted[place] = sorted[place - 1];
            place -= 1;
        }
        sorted[place] = (parts, (SINGLE + n) as u16);
        n += 1;
    }
    sorted
};

/// Returns the opcode of an op, or `None` if the table has no such form.
pub fn opcode(class: Class, sem: Sem, form: &[Operand]) -> Option<u16> {
    if form.len() > FORM_MAX {
        return None;
    }
    let packed = form.iter().rev().fold(0, |packed, &operand| packed << 5 | operand as u32);
    let mut candidate = CHAINS.0[sem as usize];
    while candidate != END {
        let index = usize::from(candidate);
        if PACKED[index] & !ENDS_FLOW == packed && CLASSES[index] == class {
            return Some(candidate);
        }
        candidate = CHAINS.1[index];
    }
    None
}

/// Returns the opcode of these ops in one, or `None` if the table has no such sequence. `parts` are their opcodes.
pub fn sequence_opcode(parts: &[u16]) -> Option<u16> {
    // opcode 0 is in no sequence: there it stands for no part
    if parts.len() > sequences::PARTS || parts.iter().any(|&part| part == 0 || usize::from(part) >= SINGLE) {
        return None;
    }
    let packed = parts.iter().rev().fold(0, |packed, &part| packed << 10 | u32::from(part));
    BY_PARTS.binary_search_by_key(&packed, |&(parts, _)| parts).ok().map(|place| BY_PARTS[place].1)
}

const _: () = assert!(COUNT == SINGLE + sequences::COUNT);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sequences_have_the_same_parts() {
        assert!(BY_PARTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn what_the_table_does_not_have_is_not_found() {
        assert_eq!(opcode(Class::Div32, Sem::I32Add, &[Operand::Dst, Operand::Slot, Operand::Slot]), None);
        assert_eq!(opcode(Class::Bin32, Sem::I32Add, &[Operand::Dst]), None);
        assert_eq!(opcode(Class::Bin32, Sem::I32Add, &[Operand::Slot; FORM_MAX + 1]), None);
        assert_eq!(sequence_opcode(&[0, 0]), None);
        assert_eq!(sequence_opcode(&[SINGLE as u16]), None);
    }
}
