/*
 * A monitor of a few lines that is not Terrarium: what `terrarium stat` has to understand. Its guest writes to port 0x80
 * forever. With an argument it opens KVM's counters, like a monitor that can be watched without root.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
        (void)argv;
        int kvm = open("/dev/kvm", O_RDWR);
        int vm = ioctl(kvm, KVM_CREATE_VM, 0);
        void *ram = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct kvm_userspace_memory_region region = {
                .guest_phys_addr = 0x1000, .memory_size = 4096, .userspace_addr = (unsigned long)ram,
        };
        memcpy(ram, "\xe6\x80\xeb\xfc", 4); /* out %al, $0x80; jmp to it */
        ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
        int cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
        int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
        struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
        struct kvm_sregs sregs;
        ioctl(cpu, KVM_GET_SREGS, &sregs);
        sregs.cs.base = 0;
        sregs.cs.selector = 0;
        ioctl(cpu, KVM_SET_SREGS, &sregs);
        struct kvm_regs regs = { .rip = 0x1000, .rflags = 2 };
        ioctl(cpu, KVM_SET_REGS, &regs);
        if (argc > 1 && (ioctl(vm, KVM_GET_STATS_FD, 0) < 0 || ioctl(cpu, KVM_GET_STATS_FD, 0) < 0)) {
                perror("KVM_GET_STATS_FD");
                return 1;
        }
        puts("running");
        fflush(stdout);
        while (ioctl(cpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_IO)
                ;
        return 1;
}
