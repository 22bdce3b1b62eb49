/* vantage - whether a step's end says something of the platform, or only of where we stand.
 *
 * Asked when a step has ended, outside of its timed phases. A failure that a machine without
 * network, clock, sleep or processor would have had with any platform becomes an `error` of the
 * vantage; a pass keeps its proof, and its timings are marked unfit.
 */
#ifndef MAILPROBE_VANTAGE_H
#define MAILPROBE_VANTAGE_H

#include "stage_private.h"

/* Puts right whom the step's failure is blamed on; says which timings are unfit. Asks the resolver
 * for a control name where the failure is one that a machine without network has: for a second at
 * most, and no longer than the run lasts but for a part of its grace. */
void vantage_judge(struct part *part);

/* At the end of the run: a certificate that another one vouches for the clock of was rightly
 * refused. True if the step's failure is now another. */
bool vantage_reconsider(const struct stage *stage, struct part *part);

#endif
