// SPDX-License-Identifier: Apache-2.0
//! Empty: the manifest names sources alone.
