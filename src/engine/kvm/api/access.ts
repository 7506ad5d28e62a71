import { readFileSync, statSync } from 'node:fs';

/** The file that names the groups; a test may have its own. */
const GROUPS = '/etc/group';

/**
 * Advice for access to the device: joining its group helps where the group may write to it; elsewhere its owner or mode
 * must change, as in containers that have the device but not the group.
 */
export function accessAdvice(device: string, groups = GROUPS): string {
  const group = groupOf(device, groups);
  if (group !== undefined)
    return `add yourself to the group ${group}: sudo usermod -aG ${group} $USER, then log in again`;
  return `allow yourself the device until the host restarts: sudo setfacl -m u:$USER:rw ${device}`;
}

/** The group that may read and write the device, unless it is root's. */
function groupOf(device: string, groups: string): string | undefined {
  try {
    const { mode, gid } = statSync(device);
    if ((mode & 0o060) !== 0o060 || gid === 0) return undefined;
    return readFileSync(groups, 'utf8').match(new RegExp(`^([^:\n]+):[^:\n]*:${gid}:`, 'm'))?.[1];
  } catch {
    return undefined;
  }
}
