// The app's Home, as the person sees it who looks at it.

import { Blocks, type Act } from "./blocks";
import { sim } from "./sim";
import type { Json, User } from "./types";

export function Home({ view, me }: { view: Json; me: User }) {
  const act: Act = async (block_id, element, selected) => {
    const done = await sim("click", { user: me.id, view_id: view.id, block_id, action_id: element.action_id, value: element.value, selected });
    if (!(done.status >= 200 && done.status < 300)) throw new Error(done.error ?? `HTTP ${done.status}`);
  };
  return (
    <div className="messages home" data-testid="home">
      <div className="home-inner">
        {view ? <Blocks key={view.hash} blocks={view.blocks ?? []} act={act} /> : <p className="empty">Nothing has been published here yet.</p>}
      </div>
    </div>
  );
}
