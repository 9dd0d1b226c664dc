import "./ticks.test";
import "./places.test";
import "./host.test";
import "./job.test";
