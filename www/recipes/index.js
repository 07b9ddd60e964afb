// All recipes, in the order in which they are offered.

import { cacheAside, session } from './caching.js'
import { fixedWindow, lock, slidingWindow } from './limits.js'
import { chat, leaderboard, nearby, presence, uniqueVisitors } from './people.js'
import { delayed, listQueue, streamGroup } from './queues.js'

/**
 * @typedef {object} Recipe
 * @property {string} id its address
 * @property {string} name
 * @property {string} about in a few words
 * @property {string[]} explanation paragraphs
 * @property {string[]} [needs] commands without which it cannot run
 * @property {string} [lua] its script
 * @property {(db, print, script?: string) => Promise<void>} run what the page runs, and shows as JavaScript
 * @property {string} python
 * @property {(string | { beside: string })[]} cli lines for a terminal, or for the one beside
 */

/** @type {Recipe[]} */
export const RECIPES = [cacheAside, session, fixedWindow, slidingWindow, lock, listQueue, streamGroup, delayed, leaderboard, chat, presence, uniqueVisitors, nearby]
