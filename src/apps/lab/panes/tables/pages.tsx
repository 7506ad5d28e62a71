/** The page tables as a tree that one opens, and the way of one address through them. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { PagesLook, PageTableView } from '../../../../browser/index.js';
import { query, refresh, report } from '../../controller.js';
import { openPanel } from '../../panels.js';
import * as state from '../../state.js';
import { hex, pageBitWords, pagingModes, sizeText } from '../../words.js';

type Row = PageTableView['rows'][number];

const opened = signal<ReadonlySet<string>>(new Set());
const followed = signal('');
const found = signal<PagesLook | undefined>(undefined);

export function Pages() {
  const look = state.look.value;
  const follow = followed.value;
  const open = opened.value;
  useEffect(() => {
    let current = true;
    const paths = [...open].map((path) => path.split('/').map(Number));
    query('pages', { open: paths, ...(follow !== '' && { follow }) }).then((pages) => {
      if (current) found.value = pages;
    }, report);
    return () => {
      current = false;
    };
  }, [look, follow, open]);
  const pages = found.value;
  if (pages === undefined) return null;
  const { mode, cr3, walk, problem } = pages;
  const go = (event: Event) => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem('follow') as HTMLInputElement;
    followed.value = field.value.trim();
  };
  return (
    <section class="drawn pages" aria-label="Page tables">
      <form class="follow" onSubmit={go}>
        <label>
          Follow{' '}
          <input
            name="follow"
            defaultValue={follow}
            spellcheck={false}
            autocomplete="off"
            placeholder="0x401000, rip, message"
          />
        </label>
        <button type="submit">Follow</button>
      </form>
      {problem !== undefined && <p class="faults">{problem}</p>}
      {walk && <Way walk={walk} />}
      <p class="lead">{pagingModes[mode]}</p>
      {mode !== 'off' && (
        <>
          <p class="cr3">
            <b class="holder">CR3</b> <code>{hex(cr3, 8)}</code>
          </p>
          <Table pages={pages} path={[]} />
        </>
      )}
    </section>
  );
}

/** The address as its indexes, and where they lead. */
function Way({ walk }: { walk: NonNullable<PagesLook['walk']> }) {
  const { levels, linear, physical, size = 4096n, rights, problem } = walk;
  const show = () => {
    state.memoryAt.value = `0x${hex(linear)}`;
    state.memorySpace.value = 'linear';
    openPanel('memory', true);
    void refresh().catch(report);
  };
  return (
    <div class="way">
      <ol aria-label={`The parts of ${hex(linear)}`}>
        {levels.map(({ name, index, problem: bad }) => (
          <li key={name} class={bad === undefined ? '' : 'bad'}>
            <small>{name}</small>
            <b>{index}</b>
          </li>
        ))}
        {physical !== undefined && (
          <li>
            <small>offset</small>
            <b>{hex(linear & (size - 1n), 3)}</b>
          </li>
        )}
      </ol>
      {physical === undefined ? (
        <p class="faults">{problem}</p>
      ) : (
        <p>
          <code>{hex(linear, 8)}</code> → physical <code>{hex(physical, 8)}</code>
          {levels.length > 0 && rights && (
            <small>
              {`, in a page of ${sizeText(size)}: ${rights.write ? 'writable' : 'read-only'}, ${rights.user ? 'ring 3 too' : 'ring 0 only'}${rights.execute ? '' : ', no execute'}`}
            </small>
          )}{' '}
          <button type="button" class="plain more" onClick={show}>
            show its bytes
          </button>
        </p>
      )}
    </div>
  );
}

function Table({ pages, path }: { pages: PagesLook; path: readonly number[] }) {
  const key = path.join('/');
  const table = pages.tables.find((one) => one.path.join('/') === key);
  if (table === undefined) return <p class="rest">This table is not there any more.</p>;
  const { name, at, rows, empty, problem } = table;
  const levels = pages.walk?.levels ?? [];
  const isOn = path.length < levels.length && path.every((index, n) => levels[n]?.index === index);
  const way = isOn ? levels[path.length]?.index : undefined;
  const plain = pages.mode === 'PAE' && path.length === 0;
  return (
    <div class="page-table">
      <p class="table-name">
        {name} <code>{hex(at, 8)}</code>
      </p>
      {problem !== undefined && <p class="faults">{problem}</p>}
      <ul>
        {rows.map((row) => (
          <Entry
            key={row.first}
            row={row}
            plain={plain}
            on={way !== undefined && way >= row.first && way <= row.last}
            pages={pages}
            path={[...path, row.first]}
          />
        ))}
      </ul>
      {way !== undefined && !rows.some(({ first, last }) => way >= first && way <= last) && (
        <p class="rest bad">{`entry ${way}, on the way of the address, is 0`}</p>
      )}
      {empty > 0 && <p class="rest">{`${empty} entries are 0`}</p>}
    </div>
  );
}

interface EntryProps {
  row: Row;
  plain: boolean;
  on: boolean;
  pages: PagesLook;
  path: readonly number[];
}

function Entry({ row, plain, on, pages, path }: EntryProps) {
  const { first, last, linear, length, leadsTo, target, bits, problem, loops, entry } = row;
  const key = path.join('/');
  const isTable = leadsTo === 'table';
  const isOpen = isTable && (on || opened.value.has(key));
  const toggle = () => {
    const next = new Set(opened.value);
    if (!next.delete(key)) next.add(key);
    opened.value = next;
  };
  const count = BigInt(last - first + 1);
  const label = `${first === last ? first : `${first}–${last}`}`;
  const text = (
    <>
      <b class="index">{label}</b>
      <code>{hex(linear, linear > 0xffff_ffffn ? 16 : 8)}</code>
      <span class="arrow" aria-hidden="true">
        →
      </span>
      {leadsTo === 'nothing' ? (
        <code class="to-nothing">{hex(entry)}</code>
      ) : (
        <code class={`to-${leadsTo}`}>{hex(target!, 8)}</code>
      )}
      <small>
        {isTable
          ? loops
            ? 'a table above: recursive'
            : 'table'
          : leadsTo === 'page'
            ? `${count > 1n ? `${count} pages of ` : 'page, '}${sizeText(length / count)}`
            : ''}
      </small>
    </>
  );
  return (
    <li class={on ? 'on' : ''}>
      {isTable ? (
        <button type="button" class="plain entry" aria-expanded={isOpen} disabled={on} onClick={toggle}>
          <i class="twist" aria-hidden="true" />
          {text}
        </button>
      ) : (
        <div class="entry">
          <i class="twist none" aria-hidden="true" />
          {text}
        </div>
      )}
      <p class="chips">
        {pageBitWords(bits, plain, leadsTo === 'page').map(({ text: word, tone }) => (
          <span key={word} class={`chip ${tone}`}>
            {word}
          </span>
        ))}
      </p>
      {problem !== undefined && <p class="faults">{problem}</p>}
      {isOpen && <Table pages={pages} path={path} />}
    </li>
  );
}
