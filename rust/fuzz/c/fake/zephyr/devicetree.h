/* SPDX-License-Identifier: Apache-2.0 */

/* A devicetree without a node. */
#define DT_FOREACH_STATUS_OKAY(_compat, _macro)
