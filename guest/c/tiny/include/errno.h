/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * @brief The error of the last call of sys/socket.h that failed, a positive enum wisp_errno.
 */
#ifndef WISP_GUEST_ERRNO_H_
#define WISP_GUEST_ERRNO_H_

#include <wisp.h>

#ifdef __cplusplus
extern "C" {
#endif

extern int errno;

#ifdef __cplusplus
}
#endif

#define EPERM     WISP_EPERM
#define ENOENT    WISP_ENOENT
#define EIO       WISP_EIO
#define ENXIO     WISP_ENXIO
#define EBADF     WISP_EBADF
#define EAGAIN    WISP_EAGAIN
#define ENOMEM    WISP_ENOMEM
#define EACCES    WISP_EACCES
#define EBUSY     WISP_EBUSY
#define EINVAL    WISP_EINVAL
#define EPROTO    WISP_EPROTO
#define ETIMEDOUT WISP_ETIMEDOUT
#define EMSGSIZE  WISP_EMSGSIZE
#define ENOTSUP   WISP_ENOTSUP
/** A call that does not wait gives this, as POSIX allows. */
#define EWOULDBLOCK EAGAIN

#endif /* WISP_GUEST_ERRNO_H_ */
