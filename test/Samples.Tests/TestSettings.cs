// Each program takes all cores for itself.
[assembly: DoNotParallelize]
