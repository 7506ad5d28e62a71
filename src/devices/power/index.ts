/** ACPI's power management and the HPET. */
export {
  ACPI_DISABLE,
  ACPI_ENABLE,
  AcpiPm,
  type AcpiPmState,
  type ButtonSource,
  GPE_BASE,
  GPE_SIZE,
  PM_BASE,
  SCI_IRQ,
  SLEEP_OFF,
  SMI_COMMAND,
} from './acpi-pm.js';
export { HPET_ADDRESS, HPET_ID, HPET_PERIOD, Hpet, type HpetState } from './hpet.js';
