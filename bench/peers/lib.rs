// SPDX-License-Identifier: Apache-2.0
//! Nothing: the manifest beside it is what counts.
