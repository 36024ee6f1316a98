/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Saves the registers of an FPU that native code in user mode uses. With lazy stacking, an
 * exception only notes where the registers of the interrupted code belong, which is where its stack
 * pointer says. The kernel would fault later if that is no stack. So they are saved at once, with
 * the rights of the code, and it is the code that faults.
 */

#include <zephyr/kernel.h>

#include <cmsis_core.h>

void __real_z_arm_configure_dynamic_mpu_regions(struct k_thread *thread);

/*
 * Called by the linker option --wrap at each switch to a thread. With CONFIG_MPU_STACK_GUARD, the
 * function of Zephyr turns lazy stacking on.
 */
void __wrap_z_arm_configure_dynamic_mpu_regions(struct k_thread *thread)
{
	__real_z_arm_configure_dynamic_mpu_regions(thread);
	FPU->FPCCR &= ~FPU_FPCCR_LSPEN_Msk;
}
