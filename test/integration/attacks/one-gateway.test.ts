// Attacks on one gateway with the default configuration. Each file registers its tests when it is imported.
import './bodies.ts';
import './docs-pages.ts';
import './events.ts';
import './headers.ts';
import './paths.ts';
import './sessions.ts';
import './smuggling.ts';
import './sockets.ts';
import './surface.ts';
import './tokens.ts';
import './unreadable-bodies.ts';
