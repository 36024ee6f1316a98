# SPDX-License-Identifier: Apache-2.0
#
# No runtime: what the image costs without one, for the flash figures.
