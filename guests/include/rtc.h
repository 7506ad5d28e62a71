// A PC's clock with a battery: Motorola's MC146818A, for assembler and C alike.
#ifndef RTC_H
#define RTC_H

#define PORT_RTC_INDEX 0x70         // which register; bit 7 masks NMIs on a PC
#define PORT_RTC_DATA 0x71          // ... its byte

#define RTC_SECONDS 0               // time and date are BCD until bit 2 of register B says binary
#define RTC_SECONDS_ALARM 1
#define RTC_MINUTES 2
#define RTC_MINUTES_ALARM 3
#define RTC_HOURS 4
#define RTC_HOURS_ALARM 5
#define RTC_DAY 7
#define RTC_MONTH 8
#define RTC_YEAR 9
#define RTC_ANY 0xc0                // an alarm byte that matches every time

#define RTC_A 10
#define RTC_A_CRYSTAL 0x20          // the divider for 32,768 Hz; the low four bits are the rate
#define RTC_B 11
#define RTC_B_PERIODIC 0x40
#define RTC_B_ALARM 0x20
#define RTC_B_UPDATE_ENDED 0x10
#define RTC_B_24_HOURS 0x02
#define RTC_C 12                    // the cause of the interrupt; reading lowers the line
#define RTC_C_PERIODIC 0x40
#define RTC_C_ALARM 0x20
#define RTC_C_UPDATE_ENDED 0x10

#define IRQ_CASCADE 2
#define IRQ_RTC 8

#ifdef __ASSEMBLER__
// Both change AL, which then has the read byte.
.macro rtc_read register
        mov     $\register, %al
        out     %al, $PORT_RTC_INDEX
        in      $PORT_RTC_DATA, %al
.endm
.macro rtc_write register, value
        mov     $\register, %al
        out     %al, $PORT_RTC_INDEX
        mov     $(\value), %al
        out     %al, $PORT_RTC_DATA
.endm
#endif

#endif
