// The workspace: who looks at which channel, what is new there, and which panels are open.

import { useCallback, useEffect, useMemo, useState } from "react";
import { Composer } from "./Composer";
import { Home } from "./Home";
import { Lab } from "./Lab";
import { Modal } from "./Modal";
import { Avatar, MessageList, badge } from "./messages";
import { Icon } from "./icons";
import { sim, useSim } from "./sim";
import { type Names, NamesContext } from "./text";
import type { Channel, Message, State, Team, User } from "./types";

const NARROW = "(max-width: 900px)";

/** What somebody sees of the channels, by Slack's rules. */
function sees(user: User, channel: Channel) {
  const everywhere = !channel.is_private && !user.is_restricted && !user.is_ultra_restricted && user.team_id === channel.team_id;
  return everywhere || channel.members.includes(user.id);
}

/** The people of a workspace, those of other workspaces who share a channel with it included. */
function peopleOf(state: State, team: Team): User[] {
  const shares = (user: User) => state.channels.some((channel) => channel.team_id === team.id && channel.members.includes(user.id));
  return state.users.filter((user) => !user.is_bot && (user.team_id === team.id || shares(user)));
}

function useStored<T>(key: string, start: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    const kept = sessionStorage.getItem(key);
    return kept === null ? start : (JSON.parse(kept) as T);
  });
  const store = useCallback(
    (next: T) => {
      sessionStorage.setItem(key, JSON.stringify(next));
      setValue(next);
    },
    [key],
  );
  return [value, store];
}

export function App() {
  const { state, connected } = useSim();
  if (!state) return <p className="loading">{connected ? "Loading…" : "Waiting for the simulator…"}</p>;
  return <Workspace state={state} connected={connected} />;
}

function Workspace({ state, connected }: { state: State; connected: boolean }) {
  const [teamId, setTeamId] = useStored("team", state.teams[0].id);
  // A workspace with nobody in it, or with no channel, is none to look into.
  const teams = state.teams.filter((one) => state.channels.some((channel) => channel.team_id === one.id) && peopleOf(state, one).length > 0);
  const team = teams.find((one) => one.id === teamId) ?? teams[0] ?? state.teams[0];
  const people = peopleOf(state, team);
  const [meId, setMeId] = useStored("user", people[0]?.id ?? "");
  const [channelId, setChannelId] = useStored("channel", "C0INCIDENTS");
  const [read, setRead] = useStored<Record<string, string>>("read", {});
  const [threadTs, setThreadTs] = useState<string | null>(null);
  const [sidebar, setSidebar] = useState(false);
  const [home, setHome] = useState(false);
  const [lab, setLab] = useState(() => !window.matchMedia(NARROW).matches);
  const [menu, setMenu] = useState<"users" | "shortcuts" | "teams" | null>(null);
  const [notice, setNotice] = useState("");

  const users = useMemo(() => new Map(state.users.map((user) => [user.id, user])), [state.users]);
  const names = useMemo<Names>(
    () => ({
      users: state.users.map((user) => ({ id: user.id, name: user.real_name })),
      channels: state.channels.filter((channel) => !channel.is_im).map((channel) => ({ id: channel.id, name: channel.name })),
    }),
    [state.users, state.channels],
  );

  const me = people.find((user) => user.id === meId) ?? people[0];
  const channels = me ? state.channels.filter((channel) => channel.team_id === team.id && sees(me, channel)) : [];
  const channel = channels.find((one) => one.id === channelId) ?? channels[0];
  const visible = me ? state.messages.filter((message) => !message.ephemeral_for || message.ephemeral_for === me.id) : [];
  const inChannel = channel ? visible.filter((message) => message.channel === channel.id) : [];
  const top = inChannel.filter((message) => !message.thread_ts || message.broadcast);
  const thread = threadTs ? inChannel.filter((message) => message.ts === threadTs || message.thread_ts === threadTs) : [];
  const newest = top.at(-1)?.ts ?? "";
  const readKey = me && channel ? `${me.id}/${channel.id}` : "";

  // What is on the screen counts as read.
  useEffect(() => {
    if (readKey && newest > (read[readKey] ?? "")) setRead({ ...read, [readKey]: newest });
  }, [readKey, newest, read, setRead]);

  if (!me || !channel) return <p className="loading">Nobody to be, or nothing to see.</p>;

  const unread = (of: Channel) => {
    const since = read[`${me.id}/${of.id}`] ?? "";
    return visible.filter((m: Message) => m.channel === of.id && (!m.thread_ts || m.broadcast) && m.user !== me.id && m.ts > since).length;
  };
  const go = (id: string) => {
    setHome(false);
    setChannelId(id);
    setThreadTs(null);
    setSidebar(false);
  };
  const openThread = (ts: string) => {
    setThreadTs(ts);
    if (window.matchMedia(NARROW).matches) setLab(false);
  };
  const dm = channels.find((one) => one.is_im && one.user === me.id);
  const openDm = async () => {
    if (dm) return go(dm.id);
    const id = `D${me.id.replace(/^[UW]/, "")}`;
    const members = [me.id, team.bot.user_id];
    await sim("channels", { id, name: me.id, team_id: team.id, is_private: true, is_im: true, user: me.id, members });
    go(id);
  };
  const shortcut = (callback_id: string) => {
    setMenu(null);
    setSidebar(false);
    sim("shortcut", { user: me.id, callback_id }).then(
      (done) => setNotice(done.status >= 200 && done.status < 300 ? "" : `The shortcut failed: ${done.error ?? `HTTP ${done.status}`}`),
      (error: Error) => setNotice(error.message),
    );
  };
  const openHome = () => {
    setHome(true);
    setThreadTs(null);
    void sim("home", { user: me.id }).catch((error: Error) => setNotice(error.message));
  };
  const invite = () => void sim("invite", { channel: channel.id }).catch((error: Error) => setNotice(error.message));
  const view = state.views.find((one) => one.user === me.id)?.stack.at(-1);
  const barred = channel.is_archived
    ? `#${channel.name} is archived.`
    : me.deleted
      ? `${me.real_name}'s account is deactivated.`
      : undefined;
  return (
    <NamesContext.Provider value={names}>
      <div className={`app ${sidebar ? "sidebar-open" : ""} ${threadTs ? "has-thread" : ""} ${lab ? "has-lab" : ""}`}>
        <nav className="sidebar" data-testid="sidebar">
          <header>
            {teams.length > 1 ? (
              <span className="menu-anchor">
                <button type="button" className="team-switch" data-testid="team-switch" aria-haspopup="menu" onClick={() => setMenu(menu === "teams" ? null : "teams")}>
                  <span className="side-name">{team.name}</span> ▾
                </button>
                {menu === "teams" && (
                  <span className="menu" role="menu">
                    {teams.map((one) => (
                      <button
                        key={one.id}
                        type="button"
                        role="menuitem"
                        data-testid={`team-${one.id}`}
                        onClick={() => {
                          setTeamId(one.id);
                          setThreadTs(null);
                          setMenu(null);
                        }}
                      >
                        <span className="side-name">{one.name}</span> {one.enterprise_name && <span className="tag">{one.enterprise_name}</span>}
                      </button>
                    ))}
                  </span>
                )}
              </span>
            ) : (
              <b>{team.name}</b>
            )}
            <small className={connected ? "" : "bad"}>{connected ? "Slack simulator" : "Connection lost…"}</small>
          </header>
          <div className="sidebar-scroll">
            <span className="menu-anchor shortcuts">
              <button type="button" className="side-item" data-testid="shortcuts" onClick={() => setMenu(menu === "shortcuts" ? null : "shortcuts")}>
                <Icon name="bolt" /> Shortcuts
              </button>
              {menu === "shortcuts" && (
                <span className="menu" role="menu">
                  <button type="button" role="menuitem" data-testid="shortcut-create_incident" onClick={() => shortcut("create_incident")}>
                    <Icon name="bolt" /> Create incident
                  </button>
                </span>
              )}
            </span>
            <h2>Channels</h2>
            {channels
              .filter((one) => !one.is_im)
              .map((one) => (
                <ChannelItem key={one.id} channel={one} current={one.id === channel.id} unread={one.id === channel.id ? 0 : unread(one)} onGo={go} />
              ))}
            <h2>Direct messages</h2>
            <button type="button" className={`side-item ${channel.is_im ? "current" : ""}`} data-testid="channel-tocsin" onClick={() => void openDm()}>
              <Avatar user={users.get(team.bot.user_id)} small /> <span className="side-name">Tocsin</span>
              {dm && dm.id !== channel.id && unread(dm) > 0 && <span className="count">{unread(dm)}</span>}
            </button>
          </div>
        </nav>
        <button type="button" className="scrim" aria-label="Close the channel list" onClick={() => setSidebar(false)} />

        <main>
          <header className="main-head">
            <button type="button" className="plain-button only-narrow" aria-label="Channels" data-testid="toggle-sidebar" onClick={() => setSidebar(true)}>
              <Icon name="menu" size={20} />
            </button>
            <h1 data-testid="channel-title">
              {channel.is_im ? "Tocsin" : <ChannelName channel={channel} />}
            </h1>
            {channel.is_im && (
              <span className="tabs" role="tablist">
                <button type="button" role="tab" aria-selected={home} className={`plain-button ${home ? "on" : ""}`} data-testid="home-tab" onClick={openHome}>
                  Home
                </button>
                <button type="button" role="tab" aria-selected={!home} className={`plain-button ${home ? "" : "on"}`} data-testid="messages-tab" onClick={() => setHome(false)}>
                  Messages
                </button>
              </span>
            )}
            {!channel.is_im && !channel.is_member && !channel.is_archived && (
              <button type="button" className="button" data-testid="invite" onClick={invite}>
                Invite Tocsin
              </button>
            )}
            <span className="head-tools">
              <button type="button" className={`plain-button ${lab ? "on" : ""}`} title="Lab: incidents, faults, traffic" data-testid="toggle-lab" onClick={() => setLab(!lab)}>
                <Icon name="flask" />
              </button>
              <span className="menu-anchor">
                <button type="button" className="me" data-testid="user-switch" aria-haspopup="menu" onClick={() => setMenu(menu === "users" ? null : "users")}>
                  <Avatar user={me} small /> <span>{me.real_name}</span> ▾
                </button>
                {menu === "users" && (
                  <span className="menu right" role="menu">
                    <small>Be somebody else</small>
                    {people.map((user) => (
                      <button
                        key={user.id}
                        type="button"
                        role="menuitem"
                        data-testid={`user-${user.name}`}
                        onClick={() => {
                          setMeId(user.id);
                          setHome(false);
                          setThreadTs(null);
                          setMenu(null);
                        }}
                      >
                        <Avatar user={user} small /> {user.real_name} {(badge(user) || user.is_admin) && <span className="tag">{badge(user) || "admin"}</span>}
                      </button>
                    ))}
                  </span>
                )}
              </span>
            </span>
          </header>
          {notice && (
            <p className="notice" role="alert">
              {notice}{" "}
              <button type="button" className="plain-button" aria-label="Dismiss" onClick={() => setNotice("")}>
                ✕
              </button>
            </p>
          )}
          {home && channel.is_im ? <Home view={state.homes.find((one) => one.user === me.id)?.view} me={me} /> : <>
          <MessageList
            key={`${me.id}/${channel.id}`}
            messages={top}
            users={users}
            me={me}
            onThread={openThread}
            empty={channel.is_member ? "Nothing here yet. Send an incident from the lab, or write /incident create …" : "Nothing here yet, and Tocsin is not in this channel."}
          />
          <Composer key={`composer/${me.id}/${channel.id}`} channel={channel} me={me} barred={barred} />
          </>}
        </main>

        {(threadTs || lab) && (
          <aside className="side-panel">
            {threadTs && (
              <section className="thread" data-testid="thread-panel">
                <header className="panel-head">
                  <h2>
                    Thread <small>{channel.is_im ? "Tocsin" : `#${channel.name}`}</small>
                  </h2>
                  <button type="button" className="plain-button" aria-label="Close the thread" data-testid="close-thread" onClick={() => setThreadTs(null)}>
                    ✕
                  </button>
                </header>
                <MessageList key={threadTs} messages={thread} users={users} me={me} inThread />
                <Composer key={`thread/${me.id}/${threadTs}`} channel={channel} me={me} thread={threadTs} barred={barred} />
              </section>
            )}
            {lab && <Lab state={state} onClose={() => setLab(false)} />}
          </aside>
        )}
        {view && <Modal key={`${view.id}/${view.hash}`} view={view} me={me} />}
        {menu && <button type="button" className="menu-scrim" aria-label="Close the menu" onClick={() => setMenu(null)} />}
      </div>
    </NamesContext.Provider>
  );
}

function ChannelName({ channel }: { channel: Channel }) {
  return (
    <>
      <span className="hash">{channel.is_private ? <Icon name="lock" size={13} /> : "#"}</span>
      {channel.name}
    </>
  );
}

function ChannelItem({ channel, current, unread, onGo }: { channel: Channel; current: boolean; unread: number; onGo: (id: string) => void }) {
  return (
    <button
      type="button"
      className={`side-item ${current ? "current" : ""} ${unread > 0 ? "unread" : ""} ${channel.is_archived ? "archived" : ""}`}
      data-testid={`channel-${channel.name}`}
      onClick={() => onGo(channel.id)}
    >
      <span className="hash">{channel.is_private ? <Icon name="lock" size={13} /> : "#"}</span>
      <span className="side-name">{channel.name}</span>
      {channel.is_archived && <small>archived</small>}
      {unread > 0 && <span className="count">{unread}</span>}
    </button>
  );
}
