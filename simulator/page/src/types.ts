// What /sim/state holds, as far as the page looks at it.

/** Block Kit comes from outside and is looked at with care: any field may be missing. */
export type Json = any;

export interface User {
  id: string;
  name: string;
  real_name: string;
  team_id: string;
  deleted: boolean;
  is_restricted: boolean;
  is_admin: boolean;
  is_ultra_restricted: boolean;
  is_stranger: boolean;
  is_bot: boolean;
}

/** A workspace, with the bot that the app has in it. */
export interface Team {
  id: string;
  name: string;
  enterprise_name: string | null;
  bot: { user_id: string };
  installation: string | null;
}

export interface Channel {
  id: string;
  name: string;
  team_id: string;
  is_private: boolean;
  is_archived: boolean;
  is_im: boolean;
  user: string | null;
  is_member: boolean;
  members: string[];
}

export interface Message {
  channel: string;
  ts: string;
  user: string;
  bot_id: string | null;
  text: string;
  blocks: Json[];
  attachments: Json[];
  thread_ts: string | null;
  broadcast: boolean;
  edited: Json | null;
  ephemeral_for: string | null;
  reply_count: number;
  latest_reply: string | null;
  reactions: { name: string; users: string[]; count: number }[];
}

export interface Delivery {
  id: number;
  at: number;
  ms: number;
  kind: string;
  type: string;
  http_status: number | null;
  error: string | null;
  retry_num: number | null;
}

export interface Call {
  id: number;
  at: number;
  method: string;
  http_status: number | null;
  error: string | null;
  fault: string | null;
}

export interface Fault {
  id: number;
  kind: string;
  method: string | null;
  times: number | null;
  hits: number;
}

/** What goes into a step of a workflow, or comes out of it. */
export interface Parameter {
  type: string;
  name: string;
  title: string;
  description: string;
  is_required: boolean;
}

/** A step that the app brings to workflows. */
export interface Step {
  callback_id: string;
  title: string;
  description: string;
  input_parameters: Parameter[];
  output_parameters: Parameter[];
}

/** A step that was run. */
export interface Execution {
  id: string;
  callback_id: string;
  status: "running" | "completed" | "failed";
  outputs: Record<string, string> | null;
  error: string | null;
}

export interface State {
  teams: Team[];
  app: { commands_url: string | null; interactions_url: string | null; events_url: string | null };
  users: User[];
  channels: Channel[];
  messages: Message[];
  views: { user: string; stack: Json[] }[];
  homes: { user: string; view: Json }[];
  faults: Fault[];
  deliveries: Delivery[];
  calls: Call[];
  workflows: { steps: Step[]; executions: Execution[] };
  samples: string[];
  queue: boolean;
}
