/** The queues of virtio devices: each ring as a circle of slots, with the positions of driver and device, and the buffers in it. */
import type { DeviceDrawing, QueueDrawing } from '../../../../browser/index.js';
import { hex } from '../../words.js';
import { Heading, Problems } from './parts.js';

const handshake = ['ACKNOWLEDGE', 'DRIVER', 'FEATURES_OK', 'DRIVER_OK'] as const;
/** Slots that are drawn one by one; of a larger ring several share an arc. */
const MOST_ARCS = 128;

export function Rings({ devices }: { devices: readonly DeviceDrawing[] }) {
  if (devices.length === 0)
    return <p class="empty">This machine has no virtio device. The guest virtio-rng has one.</p>;
  return (
    <div class="drawn">
      {devices.map((device) => (
        <Device key={device.name} device={device} />
      ))}
    </div>
  );
}

function Device({
  device: { name, type, transport, status, features, problem, queues },
}: {
  device: DeviceDrawing;
}) {
  return (
    <section aria-label={name}>
      <Heading title={name}>{`${type} on ${transport}`}</Heading>
      <ol class="handshake" aria-label="The driver’s handshake">
        {handshake.map((step) => (
          <li key={step} class={status.includes(step) ? 'done' : ''}>
            {step}
          </li>
        ))}
      </ol>
      {status.length === 0 && <p class="rest">Reset: no driver has found it yet.</p>}
      <Problems
        list={[
          ...(problem === '' ? [] : [`It waits for a reset: ${problem}`]),
          ...status.filter((word) => word === 'FAILED').map(() => 'The driver has given up (FAILED).'),
        ]}
      />
      {features.length > 0 && (
        <p class="chips features">
          {features.map((feature) => (
            <span key={feature} class="chip" title="a negotiated feature">
              {/^\d+$/.test(feature) ? `feature ${feature}` : feature}
            </span>
          ))}
        </p>
      )}
      <ul class="rows">
        {queues.map((queue) => (
          <Queue key={queue.index} queue={queue} />
        ))}
      </ul>
    </section>
  );
}

function Queue({ queue }: { queue: QueueDrawing }) {
  const { index, name, size, kind, ready, waiting, buffers, problem } = queue;
  if (!ready)
    return (
      <li class="row off">
        <div class="line">
          <b>{`Queue ${index}, ${name}`}</b>
          <small>not ready: the driver has given it no memory</small>
        </div>
      </li>
    );
  return (
    <li class={waiting > 0 ? 'row held' : 'row'}>
      <div class="line">
        <b>{`Queue ${index}, ${name}`}</b>
        <span class="chip">{`${kind}, ${size} slots`}</span>
      </div>
      <p class="behind">
        {waiting === 0
          ? 'The device has taken all available buffers.'
          : `The device is behind: ${waiting === 1 ? '1 buffer waits' : `${waiting} buffers wait`} for it.`}
      </p>
      <Problems list={problem === undefined ? [] : [problem]} />
      <div class="ring-and-buffers">
        <Circle queue={queue} />
        <ul class="legend">
          <li>
            <i class="swatch available" /> available: waits for the device
          </li>
          <li>
            <i class="swatch taken" /> with the device
          </li>
          <li>
            <i class="swatch free" /> with the driver
          </li>
          <li>
            <b class="pointer driver">▼</b> the driver’s next
          </li>
          <li>
            <b class="pointer device">▲</b> the device’s next
          </li>
        </ul>
      </div>
      <ol class="buffers">
        {buffers.map(({ slot, id, descriptors, written }) => (
          <li key={`${slot}${written}`}>
            <small>{`${written === undefined ? 'available' : 'used'} · slot ${slot} · buffer ${id}${written === undefined ? '' : ` · ${written} bytes written`}`}</small>
            <span class="chain">
              {descriptors.map(({ index: number, address, length, write, indirect }) => (
                <code
                  key={number}
                  class={indirect ? 'table' : write ? 'write' : 'read'}
                  title={`descriptor ${number}: ${indirect ? 'a table of descriptors' : write ? 'the device writes it' : 'the device reads it'}`}
                >
                  {`${indirect ? 'table' : write ? 'write' : 'read'} ${hex(address, 8)} +${length}`}
                </code>
              ))}
            </span>
          </li>
        ))}
      </ol>
    </li>
  );
}

const [CENTRE, OUTER, INNER, MARK] = [70, 54, 36, 62];

function point(turn: number, radius: number): string {
  const angle = turn * 2 * Math.PI - Math.PI / 2;
  return `${(CENTRE + radius * Math.cos(angle)).toFixed(2)} ${(CENTRE + radius * Math.sin(angle)).toFixed(2)}`;
}

/** Slot 0 is on top, and slots follow clockwise. */
function Circle({ queue: { size, ring, positions, waiting, name } }: { queue: QueueDrawing }) {
  const each = Math.max(1, Math.ceil(ring.length / MOST_ARCS));
  const arcs: string[] = [];
  for (let at = 0; at < ring.length; at += each) {
    const part = ring.slice(at, at + each);
    arcs.push(part.includes('A') ? 'available' : part.includes('d') ? 'taken' : 'free');
  }
  const gap = arcs.length > 48 ? 0 : 0.003;
  const middle = (slot: number) => (Math.floor(slot / each) + 0.5) / arcs.length;
  return (
    <svg
      class="ring"
      viewBox="0 0 140 140"
      role="img"
      aria-label={`${name}: ${waiting} of ${size} slots wait for the device`}
    >
      {arcs.map((state, i) => {
        const [from, to] = [i / arcs.length + gap, (i + 1) / arcs.length - gap];
        const large = to - from > 0.5 ? 1 : 0;
        return (
          <path
            key={String(i)}
            class={state}
            d={`M${point(from, OUTER)} A${OUTER} ${OUTER} 0 ${large} 1 ${point(to, OUTER)} L${point(to, INNER)} A${INNER} ${INNER} 0 ${large} 0 ${point(from, INNER)} Z`}
          />
        );
      })}
      {positions && (
        <>
          <path
            class="pointer driver"
            d={`M${point(middle(positions.driver), OUTER + 1)} L${point(middle(positions.driver) - 0.02, MARK + 3)} L${point(middle(positions.driver) + 0.02, MARK + 3)} Z`}
          />
          <path
            class="pointer device"
            d={`M${point(middle(positions.device), INNER - 1)} L${point(middle(positions.device) - 0.04, INNER - 10)} L${point(middle(positions.device) + 0.04, INNER - 10)} Z`}
          />
        </>
      )}
      <text x={CENTRE} y={CENTRE + 5}>
        {waiting}
      </text>
    </svg>
  );
}
