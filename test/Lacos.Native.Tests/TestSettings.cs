// The native tests use every core themselves.
[assembly: DoNotParallelize]
