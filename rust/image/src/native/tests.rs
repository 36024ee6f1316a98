// SPDX-License-Identifier: Apache-2.0
//! The record and sections.

extern crate std;
use super::*;

#[test]
fn the_context_is_laid_out_as_c_does() {
    assert_eq!(context_offset("memory_size", 4), 4);
    assert_eq!(context_offset("memory_size", 8), 8);
    assert_eq!(context_offset("first_reference", 4), 13 * 4);
    assert_eq!(context_offset("first_reference", 8), 13 * 8);
    assert_eq!(context_offset("scratch", 4) % 8, 0);
    assert_eq!(context_offset("", 4), context_offset("scratch", 4) + 8);
}

#[test]
fn code_runs_where_its_features_are_a_subset_and_floats_agree() {
    let m33 = Target { arch: Arch::Thumb, features: features::V7M | features::V8M, float: float::SOFT };
    let m3 = Target { features: features::V7M, ..m33 };
    assert!(m33.runs(m3));
    assert!(!m3.runs(m33));
    assert!(!Target { float: float::HARD_SINGLE, ..m33 }.runs(m3));
    assert!(!Target { arch: Arch::RiscV32, ..m33 }.runs(m3));
    assert_eq!(Target::from_bytes(m33.to_bytes()), Some(m33));
}

#[test]
fn sections_of_different_targets_have_different_kinds() {
    let m3 = Target { arch: Arch::Thumb, features: features::V7M, float: float::SOFT };
    let m4f = Target { features: features::V7M | features::DSP, float: float::HARD_SINGLE, ..m3 };
    assert!(m3.section() >= Section::OPTIONAL);
    assert_ne!(m3.section(), m4f.section());
}

fn begun(length: usize) -> std::vec::Vec<u8> {
    let mut section = std::vec![0; length];
    section[..4].copy_from_slice(&MAGIC);
    section[header::ABI_VERSION] = ABI_VERSION as u8;
    section[header::TARGET] = Arch::Thumb as u8;
    section
}

#[test]
fn trap_sites_are_read_as_they_were_written() {
    let functions = [&[(0x20, 2), (0x24, 8), (0x10, 0)][..], &[(0xff_ffff, SITE_STOP), (0, 1)]];
    let mut section = begun(header::SIZE);
    let (mut table, mut sites) = (std::vec![], std::vec![]);
    for function in functions {
        table.extend([0; 10]);
        table.extend((sites.len() as u16).to_le_bytes());
        let mut before = 0;
        for &(offset, code) in function {
            site(before, offset, code, &mut |byte| sites.push(byte));
            before = offset;
        }
    }
    assert_eq!(sites.len(), 2 + 2 + 2 + 5 + 5);
    section[header::FUNCTIONS] = header::SIZE as u8;
    section[header::FUNCTIONS + 4] = 2;
    section[header::SITES] = (header::SIZE + table.len()) as u8;
    section[header::SITES + 4] = sites.len() as u8;
    section.extend(table);
    section.extend(sites);
    let native = Native::parse(&section).unwrap();
    for (index, function) in (0..).zip(functions) {
        for (number, &(offset, code)) in (0..).zip(function) {
            assert_eq!(native.site(index, number), Some((offset, code)));
        }
    }
    assert_eq!([(1, 2), (2, 0), (0, u32::MAX)].map(|(function, site)| native.site(function, site)), [None; 3]);
}

#[test]
fn a_cut_section_is_refused_at_every_length() {
    let mut section = begun(header::SIZE + 16);
    for (at, offset, count) in
        [(header::CODE, 88, 16), (header::FUNCTIONS, 88, 1), (header::SITES, 100, 1), (header::IMPORTS, 100, 1)]
    {
        section[at] = offset;
        section[at + 4] = count;
    }
    assert!(Native::parse(&section).is_ok());
    for length in 0..section.len() {
        assert!(matches!(Native::parse(&section[..length]), Err(Refusal::Damaged(_))), "{length}");
    }
}

#[test]
fn a_table_of_callers_lies_in_the_section_or_the_section_is_refused() {
    let mut section = begun(header::SIZE + 8 + 4);
    let put = |section: &mut std::vec::Vec<u8>, offset: u32, length: u32| {
        section[header::CALLERS..][..4].copy_from_slice(&offset.to_le_bytes());
        section[header::CALLERS + 4..][..4].copy_from_slice(&length.to_le_bytes());
    };
    put(&mut section, 96, 4);
    assert!(
        Native::parse(&section).is_ok_and(|native| native.callers().bytes().is_empty()),
        "a section that says it has none"
    );
    section[header::FLAGS] = flags::CALLERS as u8;
    assert!(Native::parse(&section).is_ok_and(|native| native.callers().bytes().len() == 4));
    for (offset, length) in [(96, 5), (101, 0), (97, 4), (u32::MAX, 1), (96, u32::MAX)] {
        put(&mut section, offset, length);
        assert_eq!(Native::parse(&section).err(), Some(Refusal::Damaged(header::CALLERS as u16)), "{offset} {length}");
    }
    for length in header::SIZE..header::SIZE + 8 {
        assert!(matches!(Native::parse(&section[..length]), Err(Refusal::Damaged(_))), "{length}");
    }
}
