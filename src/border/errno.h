/* SPDX-License-Identifier: Apache-2.0 */

/* Translation of driver errors to the error numbers of the guest ABI. */

#ifndef WISP_BORDER_ERRNO_H_
#define WISP_BORDER_ERRNO_H_

#include <errno.h>

#include "border/shim.h"

/* Translates the result of a driver to 0 or an enum wisp_errno. */
static inline uint32_t wisp_driver_error(int ret)
{
	if (ret >= 0) {
		return 0;
	}
	switch (-ret) {
	case EACCES:
		return WISP_EACCES;
	case EAGAIN:
		return WISP_EAGAIN;
	case EBUSY:
		return WISP_EBUSY;
	case EINVAL:
		return WISP_EINVAL;
	case ENOENT:
		return WISP_ENOENT;
	case ENXIO:
		return WISP_ENXIO;
	case ENODEV:
		return WISP_ENODEV;
	case ENOMEM:
		return WISP_ENOMEM;
	case ENOSPC:
		return WISP_ENOSPC;
	case EOVERFLOW:
		return WISP_EOVERFLOW;
	case ENOSYS:
	case ENOTSUP:
		return WISP_ENOTSUP;
	case ERANGE:
		return WISP_ERANGE;
	case ETIMEDOUT:
		return WISP_ETIMEDOUT;
	default:
		return WISP_EIO;
	}
}

#endif /* WISP_BORDER_ERRNO_H_ */
