using System.Globalization;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Training.Data;

namespace Microsoft.ML.Lacos.Training.Checkpoints;

/// <summary>What an earlier run has left in the output folder, and whether this run may continue it or begin there.</summary>
internal static class EarlierRun
{
    /// <summary>Finds where a run begins; writes nothing.</summary>
    /// <param name="checkpoints">The run's checkpoints.</param>
    /// <param name="options">Checked options of the run, with an output folder.</param>
    /// <param name="require">Throws <see cref="InvalidDataException"/> where a state does not fit the run's model, optimiser and loss; changes nothing.</param>
    /// <param name="sampler">Moved to where the earlier run was.</param>
    /// <param name="totalSteps">Steps of the whole run.</param>
    /// <param name="inform">Told what a person should know.</param>
    /// <returns>The state to continue from; null to begin with the first step.</returns>
    /// <exception cref="InvalidOperationException">The folder holds checkpoints that are not to be continued, or an adapter that is of no run.</exception>
    /// <exception cref="IOException">Something stands where a file of the run belongs and is none.</exception>
    /// <exception cref="InvalidDataException">All checkpoints are damaged, or they are of another configuration.</exception>
    public static CheckpointState? StateToContinue(CheckpointFolder checkpoints, LacosBloomTrainer.Options options, Action<CheckpointState> require, MixedSampler sampler, long totalSteps, Action<string> inform)
    {
        RefuseForeignAdapter(checkpoints, options.OutputFolder!);
        RunFiles.RequireReplaceable(options.OutputFolder!);
        checkpoints.RequireFolder();
        IReadOnlyList<string> folders = checkpoints.Folders;
        if (!options.Resume)
        {
            return folders.Count == 0
                ? null
                : throw new InvalidOperationException($"'{options.OutputFolder}' holds checkpoints of an earlier run ({Path.GetFileName(folders[0])}). Resume it, or name another folder. In a cross-validation, each fold of which is a run of its own, leave OutputFolder null.");
        }
        if (folders.Count == 0)
        {
            inform($"There is no checkpoint in '{options.OutputFolder}'; the run starts from the beginning.");
            return null;
        }
        return checkpoints.ReadNewest(MoveSampler, inform) ?? throw new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture,
            $"All {folders.Count} checkpoint(s) in '{checkpoints.FullName}' are damaged, so that the run cannot be resumed. Delete them to start anew over what the earlier run has left, or name another folder."));

        void MoveSampler(CheckpointState state)
        {
            if (state.Step > totalSteps)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"It is of step {state.Step} of {totalSteps}."));
            }
            require(state);
            sampler.MoveTo(state.Step, state.Samplers);
        }
    }

    private static void RefuseForeignAdapter(CheckpointFolder checkpoints, string folder)
    {
        string? foreign = Array.Find([PeftAdapter.ConfigFileName, PeftAdapter.WeightsFileName], name => File.Exists(Path.Combine(folder, name)));
        if (foreign is not null && !checkpoints.Exists)
        {
            throw new InvalidOperationException($"'{folder}' holds '{foreign}' and no checkpoints, so that it is no run to continue, and the new adapter would take its place. Name another folder, or remove what is there.");
        }
    }
}
