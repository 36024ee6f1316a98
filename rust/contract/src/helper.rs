// SPDX-License-Identifier: Apache-2.0
//! Helpers: functions of the runtime that native code calls.

use crate::feature::Feature;

macro_rules! helpers {
    ($($name:ident, $function:literal, $result:literal, $parameters:literal, $feature:expr;)*) => {
        /// A function of the runtime that native code calls. The number is its place in the table that such code gets.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Helper {
            $(#[doc = concat!("`", $function, "(", $parameters, ")`, which gives `", $result, "`.")] $name,)*
        }

        impl Helper {
            /// Every helper, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the feature that the helper is of: code calls it only if its header states that feature.
            pub const fn feature(self) -> Option<Feature> {
                match self { $(Self::$name => $feature,)* }
            }
        }

        /// Name, result and parameters in C of each helper, in the order of the table. Floats are their bits. New ones
        /// are added at the end. None is ever changed or removed. A `u32` result of those that take a `ctx *` is the
        /// number of a trap or 0, unless stated otherwise.
        pub const HELPERS: &[(&str, &str, &str)] = &[$(($function, $result, $parameters),)*];
    };
}

// name, name in C, result, parameters, feature
helpers! {
    // the former size in pages, or -1
    MemoryGrow, "memory_grow", "u32", "ctx *, u32 delta", None;
    MemoryPages, "memory_pages", "u32", "ctx *", None;
    MemoryCopy, "memory_copy", "u32", "ctx *, u32 to, u32 from, u32 n", Some(Feature::BulkMemory);
    MemoryFill, "memory_fill", "u32", "ctx *, u32 at, u32 value, u32 n", Some(Feature::BulkMemory);
    MemoryInit, "memory_init", "u32", "ctx *, u32 segment, u32 to, u32 from, u32 n", Some(Feature::BulkMemory);
    DataDrop, "data_drop", "void", "ctx *, u32 segment", Some(Feature::BulkMemory);
    TableGet, "table_get", "u32", "ctx *, u32 table, u32 index, u32 *value", Some(Feature::ReferenceTypes);
    TableSet, "table_set", "u32", "ctx *, u32 table, u32 index, u32 value", Some(Feature::ReferenceTypes);
    // the former size, or -1
    TableGrow, "table_grow", "u32", "ctx *, u32 table, u32 value, u32 delta", Some(Feature::ReferenceTypes);
    TableFill, "table_fill", "u32", "ctx *, u32 table, u32 at, u32 value, u32 n", Some(Feature::ReferenceTypes);
    TableCopy, "table_copy", "u32", "ctx *, u32 to_table, u32 from_table, u32 to, u32 from, u32 n", Some(Feature::BulkMemory);
    TableInit, "table_init", "u32", "ctx *, u32 table, u32 segment, u32 to, u32 from, u32 n", Some(Feature::BulkMemory);
    ElemDrop, "elem_drop", "void", "ctx *, u32 segment", Some(Feature::BulkMemory);
    // an indirect call that leaves the instance, or must not happen: arguments and results in slots
    CallReference, "call_reference", "u32", "ctx *, u32 reference, u32 type, u32 *slots", None;
    I32DivS, "i32_div_s", "u32", "u32, u32", None;
    I32DivU, "i32_div_u", "u32", "u32, u32", None;
    I32RemS, "i32_rem_s", "u32", "u32, u32", None;
    I32RemU, "i32_rem_u", "u32", "u32, u32", None;
    I64DivS, "i64_div_s", "u64", "u64, u64", None;
    I64DivU, "i64_div_u", "u64", "u64, u64", None;
    I64RemS, "i64_rem_s", "u64", "u64, u64", None;
    I64RemU, "i64_rem_u", "u64", "u64, u64", None;
    F32Add, "f32_add", "u32", "u32, u32", Some(Feature::Float);
    F32Sub, "f32_sub", "u32", "u32, u32", Some(Feature::Float);
    F32Mul, "f32_mul", "u32", "u32, u32", Some(Feature::Float);
    F32Div, "f32_div", "u32", "u32, u32", Some(Feature::Float);
    F32Sqrt, "f32_sqrt", "u32", "u32", Some(Feature::Float);
    F32Eq, "f32_eq", "u32", "u32, u32", Some(Feature::Float);
    F32Lt, "f32_lt", "u32", "u32, u32", Some(Feature::Float);
    F32Le, "f32_le", "u32", "u32, u32", Some(Feature::Float);
    F64Add, "f64_add", "u64", "u64, u64", Some(Feature::Float);
    F64Sub, "f64_sub", "u64", "u64, u64", Some(Feature::Float);
    F64Mul, "f64_mul", "u64", "u64, u64", Some(Feature::Float);
    F64Div, "f64_div", "u64", "u64, u64", Some(Feature::Float);
    F64Sqrt, "f64_sqrt", "u64", "u64", Some(Feature::Float);
    F64Eq, "f64_eq", "u32", "u64, u64", Some(Feature::Float);
    F64Lt, "f64_lt", "u32", "u64, u64", Some(Feature::Float);
    F64Le, "f64_le", "u32", "u64, u64", Some(Feature::Float);
    F32ConvertI32S, "f32_convert_i32_s", "u32", "u32", Some(Feature::Float);
    F32ConvertI32U, "f32_convert_i32_u", "u32", "u32", Some(Feature::Float);
    F32ConvertI64S, "f32_convert_i64_s", "u32", "u64", Some(Feature::Float);
    F32ConvertI64U, "f32_convert_i64_u", "u32", "u64", Some(Feature::Float);
    F64ConvertI32S, "f64_convert_i32_s", "u64", "u32", Some(Feature::Float);
    F64ConvertI32U, "f64_convert_i32_u", "u64", "u32", Some(Feature::Float);
    F64ConvertI64S, "f64_convert_i64_s", "u64", "u64", Some(Feature::Float);
    F64ConvertI64U, "f64_convert_i64_u", "u64", "u64", Some(Feature::Float);
    F32DemoteF64, "f32_demote_f64", "u32", "u64", Some(Feature::Float);
    F64PromoteF32, "f64_promote_f32", "u64", "u32", Some(Feature::Float);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_each_helper() {
        assert_eq!(Helper::ALL.len(), HELPERS.len());
        assert_eq!(HELPERS[Helper::CallReference as usize].0, "call_reference");
        assert_eq!(HELPERS[Helper::F64PromoteF32 as usize], ("f64_promote_f32", "u64", "u32"));
    }

    #[test]
    fn helpers_on_floats_need_floats_and_those_of_tables_reference_types_or_bulk_memory() {
        for (helper, (name, ..)) in Helper::ALL.iter().zip(HELPERS) {
            let expected = match name.split('_').next() {
                Some("f32" | "f64") => Some(Feature::Float),
                Some("table") if name.ends_with("copy") || name.ends_with("init") => Some(Feature::BulkMemory),
                Some("table") => Some(Feature::ReferenceTypes),
                Some("data" | "elem") => Some(Feature::BulkMemory),
                Some("memory") if !name.ends_with("grow") && !name.ends_with("pages") => Some(Feature::BulkMemory),
                _ => None,
            };
            assert_eq!(helper.feature(), expected, "{name}");
        }
    }
}
