/* SPDX-License-Identifier: Apache-2.0 */
/** @file In place of the C library's: the programs end at an error and jump nowhere, and wasm has no such jumps. */
