// The playground: a network learns while the reader watches.

import { byId, setText } from "./elements.js";
import { Learner } from "./learner.js";
import { settingsOf } from "./link.js";
import { number } from "./number.js";
import { divided, points } from "./points.js";
import { programOf } from "./program.js";

const settings = settingsOf(window.location.hash);
const split = divided(
  points(settings.data, settings.points, settings.noise, settings.seed),
  settings.test,
);
const learner = new Learner(settings, split);
learner.epoch();
const { train, test } = learner.losses();
setText(byId("costs"), `${number(train)}, ${number(test)} ${programOf(settings, split, 1).length}`);
