// Calls that encode at this moment, in the whole process: who may start, and how many threads each may use.
//
// A short call (a search query) starts when fewer short calls than four for each CPU are running; the others wait in the
// order in which they came. More at once would only take the CPUs from each other: all would end later, the last ones
// much later. Long calls start at once, so that no short call waits for a long one to end.
#ifndef LACOS_RUNNING_CALL_H_
#define LACOS_RUNNING_CALL_H_

namespace lacos {

// A call of so many tokens is over in milliseconds where the model is small.
constexpr int kShortTokens = 256;
// Short calls that run at once, for each CPU. With as many as CPUs, some of these are idle while a turn goes from one
// thread to the next; each one more makes all of them later.
constexpr int kShortCallsOnACpu = 4;

class RunningCall {
 public:
  // threads: what the call may use when it is alone. Returns when it may start.
  RunningCall(int tokens, int threads);
  ~RunningCall();
  RunningCall(const RunningCall&) = delete;
  RunningCall& operator=(const RunningCall&) = delete;

  // Threads that it may use now: those that running calls beside it leave, at least one.
  int threads() const;

 private:
  const int threads_;
  const int cpus_;
  const bool short_;
};

}  // namespace lacos

#endif  // LACOS_RUNNING_CALL_H_
