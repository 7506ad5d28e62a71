/**
 * The programs inside the guest: an init that sets the system up, and an agent for each channel, which runs the host's commands. Both are
 * scripts for busybox's shell, so that no program has to be built for the guest.
 *
 * A channel is four ports of a virtio console. On the first the host writes a line for each command, and the agent answers with a line at
 * its end; the others are the command's standard input, output and error. The output of a command is sent to the host before the line that
 * reports its end.
 *
 * @module
 */

/** The ports of channel `n`, in the order of the agent's file descriptors from 3 on. */
export const portsOf = (n: number): readonly string[] =>
  ['control', 'input', 'output', 'error'].map((name) => `terrarium.${n}.${name}`);

/** The folder of the agent's programs; the commands see it. */
const HOME = '/run/terrarium';

/** Loads modules, finds the ports by their names, and starts an agent for each channel. */
export function initScript(modules: readonly string[], channels: number): string {
  return `#!/bin/busybox sh
/bin/busybox mkdir -p /bin /sbin /proc /sys /dev /run /tmp /etc /root
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts ${HOME}
mount -t devpts pts /dev/pts
chmod 1777 /tmp
hostname terrarium
ip link set lo up 2>/dev/null || ifconfig lo up
${modules.map((name) => `insmod /lib/terrarium/${name}`).join('\n')}
# A card, where there is one: the addresses of user-mode networks.
[ -e /sys/class/net/eth0 ] && {
	ip addr add 10.0.2.15/24 dev eth0
	ip link set eth0 up
	ip route add default via 10.0.2.2
	echo nameserver 10.0.2.3 >/etc/resolv.conf
}
${Array.from({ length: channels }, (_, n) => `setsid sh ${HOME_SCRIPT} ${n} &`).join('\n')}
while :; do wait; sleep 3600; done
`;
}

export const HOME_SCRIPT = '/lib/terrarium/agent';

/**
 * The agent of a channel. \`run ID SCRIPT\`: newlines and backslashes of the script are escaped, for \`printf %b\`. Its input comes in
 * pieces, each after a line with its length; the agent asks for the next
 * one, and 0 ends it. \`kill ID\` ends a command with all its processes.
 */
export const agentScript = `n=$1
port() {
	while :; do
		for place in /sys/class/virtio-ports/*; do
			read -r name <"$place/name" 2>/dev/null && [ "$name" = "terrarium.$n.$1" ] && {
				echo "/dev/\${place##*/}"
				return
			}
		done
		sleep 0.1
	done
}
exec 3<>"$(port control)" 4<"$(port input)" 5>"$(port output)" 6>"$(port error)"
pieces() {
	while read -r length && [ "$length" -gt 0 ]; do
		dd bs="$length" count=1 iflag=fullblock 2>/dev/null
		echo "more $1" >&3
	done
}
echo ready >&3
while read -r verb id script <&3; do
	case $verb in
	run)
		wait
		script=$(printf '%b.' "$script")
		{
			pieces "$id" <&4 4<&- 5>&- 6>&- | {
				setsid sh -c "echo \\$\\$ >${HOME}/$n.$id
\${script%.}" >&5 2>&6 3>&- 4<&- 5>&- 6>&-
				echo "exit $id $?" >&3
				rm -f "${HOME}/$n.$id"
			}
		} &
		;;
	kill)
		[ -s "${HOME}/$n.$id" ] && read -r group <"${HOME}/$n.$id" && kill -9 "-$group"
		;;
	esac
done
`;
