using System.Globalization;

namespace Microsoft.ML.Lacos.Training.Distributed;

/// <summary>What the environment tells of the launcher that started this process.</summary>
internal static class MpiLaunch
{
    // Set for each process by Open MPI's mpirun and prterun; by MPICH's and Intel's Hydra, and by Slurm's srun with PMI; by every srun.
    private const string OpenMpi = "OMPI_COMM_WORLD_SIZE";
    private const string Hydra = "PMI_SIZE";
    private const string Slurm = "SLURM_STEP_NUM_TASKS";

    /// <summary>Processes that were started together; 1 where no launcher tells.</summary>
    public static int Processes => new[] { 1, Number(OpenMpi), Number(Hydra), Number(Slurm) }.Max();

    /// <summary>Whether it was a launcher of MPICH's family.</summary>
    public static bool IsByMpich => Number(OpenMpi) == 0 && Number(Hydra) > 0;

    private static int Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
}
