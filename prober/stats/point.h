/* point - a value with its place on the axis of time. */
#ifndef MAILPROBE_POINT_H
#define MAILPROBE_POINT_H

struct point {
	double x, y;
};

#endif
