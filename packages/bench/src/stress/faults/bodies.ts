/** Declares all bodies of the scenario faults: threads load this file to find them (see home.ts). */

import "./crews.ts";
import "./fatal.ts";
import "./goods.ts";
import "./singles.ts";
import "./trees.ts";
