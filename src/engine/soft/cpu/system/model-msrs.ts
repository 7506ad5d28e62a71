// Model-specific registers of one vendor that current kernels read without asking CPUID (SDM 4 chapter 2; BKDG and PPR of AMD's
// families). They have no function here: they read as 0, like on a processor that does not use the feature, and writes are
// ignored.
import { CPU_AMD } from '../../layout';

function isIntels(msr: u32): bool {
  switch (msr) {
    case 0x17: // IA32_PLATFORM_ID
    case 0x2a: // EBL_CR_POWERON
    case 0x3a: // IA32_FEATURE_CONTROL
    case 0x79: // IA32_BIOS_UPDT_TRIG
    case 0xc1: // performance counters and what they count
    case 0xc2:
    case 0x186:
    case 0x187:
    case 0xcd: // FSB_FREQ
    case 0xce: // PLATFORM_INFO
    case 0xe2: // PKG_CST_CONFIG_CONTROL
    case 0x119: // BBL_CR_CTL
    case 0x11e: // BBL_CR_CTL3
    case 0x140: // MISC_FEATURES_ENABLES
    case 0x198: // IA32_PERF_STATUS, IA32_PERF_CTL
    case 0x199:
    case 0x19a: // IA32_CLOCK_MODULATION
    case 0x19b: // thermal interrupt and status
    case 0x19c:
    case 0x1a2: // TEMPERATURE_TARGET
    case 0x1ad: // TURBO_RATIO_LIMIT
    case 0x1b0: // IA32_ENERGY_PERF_BIAS
    case 0x1c9: // LASTBRANCH_TOS
    case 0x1d9: // IA32_DEBUGCTL
    case 0x1db: // last branch, last exception
    case 0x1dc:
    case 0x1dd:
    case 0x1de:
    case 0x1fc: // POWER_CTL
    case 0x606: // energy units and counters
    case 0x611:
    case 0x619:
    case 0x639:
    case 0x641:
      return true;
    default:
      return false;
  }
}

function isAmds(msr: u32): bool {
  // Performance counters and what they count.
  if (msr - 0xc0010000 < 8) return true;
  // LS_CFG, IC_CFG, DC_CFG, BU_CFG, and those of later families.
  if (msr - 0xc0011020 < 13) return true;
  switch (msr) {
    case 0xc0010010: // SYSCFG
    case 0xc0010015: // HWCR
    case 0xc0010016: // I/O ranges, and the top of memory
    case 0xc0010017:
    case 0xc0010018:
    case 0xc0010019:
    case 0xc001001a:
    case 0xc001001d:
    case 0xc001001f: // NB_CFG
    case 0xc0010020: // PATCH_LOADER
    case 0xc0010055: // INT_PENDING_MSG
    case 0xc0010058: // MMIO_CONF_BASE
    case 0xc0010061: // P-state limit, control, status, and the first one
    case 0xc0010062:
    case 0xc0010063:
    case 0xc0010064:
    case 0xc0010111: // SMBASE, SMM's address and mask
    case 0xc0010112:
    case 0xc0010113:
    case 0xc0010114: // VM_CR
    case 0xc0010140: // OSVW: no errata
    case 0xc0010141:
    case 0xc0011004: // the feature bits of CPUID
    case 0xc0011005:
      return true;
    default:
      return false;
  }
}

/** True for an MSR that this vendor's processors have, and that reads as 0. */
export function isModelMsr(msr: u32): bool {
  return load<u32>(CPU_AMD) ? isAmds(msr) : isIntels(msr);
}
