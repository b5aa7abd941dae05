// The real statsd; it takes the path of its configuration as its one argument.
import "statsd/stats.js";
