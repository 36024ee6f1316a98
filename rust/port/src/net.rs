// SPDX-License-Identifier: Apache-2.0
//! The network, which devices do not have.

use crate::platform::Zephyr;
use wisp_host::platform::Net;

impl Net for Zephyr {}
