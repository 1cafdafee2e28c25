// SPDX-License-Identifier: EUPL-1.2

// The bar: who is asking, and what could be asked.
import { useEditorContext } from '@graphiql/react';
import { useEffect, useState } from 'react';
import { flushSync } from 'react-dom';
import { ask, principals, tokenOf } from './door.js';
import { examples } from './examples.js';

const who = 'query WhoAmI { viewer { subject tokenExpiresAt roles { role tenant { name } } } }';
const nobody = 'Nicht angemeldet: Vertrag und Daten zeigt das Haus nur, wem es antwortet.';
const chosen = 'ozg:principal'; // remembers a name over a reload, never a token

export function Bar({ token, onToken }) {
  return (
    <header>
      <h1>OZG-Cloud Explorer</h1>
      <SignIn onToken={onToken} />
      <Examples />
      <Viewer token={token} />
    </header>
  );
}

function SignIn({ onToken }) {
  const [people, setPeople] = useState([]);
  const [name, setName] = useState('');
  const [problem, setProblem] = useState('');

  async function signIn(as, pasted) {
    setProblem('');
    try {
      onToken(as ? await tokenOf(as) : pasted);
      sessionStorage.setItem(chosen, as);
    } catch {
      setProblem('Die Anmeldung hat nicht geklappt.');
    }
  }

  useEffect(() => {
    async function meet() {
      const list = await principals().catch(() => []);
      const last = list.find((p) => p.name === sessionStorage.getItem(chosen));
      setPeople(list);
      setName((last ?? list[0])?.name ?? '');
      if (last) await signIn(last.name);
    }
    meet();
  }, []);

  function submit(event) {
    event.preventDefault();
    const field = event.target.elements.token;
    const pasted = field?.value.trim().replace(/^bearer\s+/i, '') ?? '';
    if (field) field.value = '';
    signIn(name, pasted);
  }

  return (
    <form onSubmit={submit}>
      {people.length > 0 && (
        <label>
          <span>Demo-Zugang</span>
          <select value={name} onChange={(event) => setName(event.target.value)}>
            {people.map((p) => <option key={p.name} value={p.name}>{p.name} – {p.description}</option>)}
            <option value="">eigenes Token</option>
          </select>
        </label>
      )}
      {name === '' && (
        <label>
          <span>Token</span>
          <input name="token" type="password" autoComplete="off" spellCheck="false" required />
        </label>
      )}
      <button>Anmelden</button>
      <span role="alert">{problem}</span>
    </form>
  );
}

function Examples() {
  const { addTab, queryEditor, variableEditor } = useEditorContext({ nonNull: true });
  const [name, setName] = useState(examples[0].name);

  function open(event) {
    event.preventDefault();
    const example = examples.find((e) => e.name === name);
    flushSync(addTab); // what was typed stays in its own tab
    queryEditor.setValue(example.query);
    variableEditor.setValue(example.variables);
  }

  return (
    <form onSubmit={open}>
      <label>
        <span>Beispiel</span>
        <select lang="en" value={name} onChange={(event) => setName(event.target.value)}>
          {examples.map((e) => <option key={e.name}>{e.name}</option>)}
        </select>
      </label>
      <button disabled={!queryEditor || !variableEditor}>Öffnen</button>
    </form>
  );
}

function Viewer({ token }) {
  const [text, setText] = useState(nobody);

  useEffect(() => {
    let current = true;
    async function look() {
      const answer = token ? await ask(token, { query: who }).catch(() => null) : undefined;
      if (current) setText(answer === undefined ? nobody : introduce(answer?.data?.viewer));
    }
    look();
    return () => {
      current = false;
    };
  }, [token]);

  return <p role="status">{text}</p>;
}

function introduce(viewer) {
  if (!viewer) return 'Mit diesem Token antwortet das Haus nicht.';
  const roles = viewer.roles.map(({ role, tenant }) => (tenant ? `${role} (${tenant.name})` : role)).join(', ');
  const until = viewer.tokenExpiresAt && ` · bis ${new Date(viewer.tokenExpiresAt).toLocaleTimeString('de-DE', { timeStyle: 'short' })} Uhr`;
  return `${viewer.subject}${roles && ` · ${roles}`}${until ?? ''}`;
}
