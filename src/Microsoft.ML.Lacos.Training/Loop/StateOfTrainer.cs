using System.Globalization;
using Microsoft.ML.Lacos.Lora;
using Microsoft.ML.Lacos.Training.Bloom;
using Microsoft.ML.Lacos.Training.Checkpoints;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Loop;

/// <summary>The way of a trainer's adapters, moments and what its losses have learned into a checkpoint and back.</summary>
internal static class StateOfTrainer
{
    private const string LossPrefix = "learned-by-loss.";

    /// <summary>The optimiser's state and what the losses have learned, by name. The optimiser's arrays are its own.</summary>
    public static IReadOnlyDictionary<string, Array> Arrays(BatchTrainer trainer)
    {
        var arrays = trainer.Optimizer.State.ToDictionary(array => array.Name, array => array.Values, StringComparer.Ordinal);
        foreach ((string name, torch.Tensor value) in trainer.LossParameters)
        {
            arrays[LossPrefix + name] = DeviceTensors.Read(value);
        }
        return arrays;
    }

    /// <summary>Refuses a state that does not fit; changes nothing.</summary>
    /// <remarks>Asked of each checkpoint before anything of it is taken over: an earlier one may fit where this one does not. The best adapter is looked at too, which is used only after the last step.</remarks>
    /// <exception cref="InvalidDataException">Adapters, moments or what the losses have learned are of another shape, or impossible.</exception>
    public static void Require(BatchTrainer trainer, CheckpointState state)
    {
        foreach (PeftAdapter adapter in state.Best is null ? [state.Adapter] : new[] { state.Adapter, state.Best.Adapter })
        {
            trainer.Model.Require(adapter);
            RequireScaling(adapter, trainer.Model.Lora);
        }
        (string Name, torch.Tensor Value)[] learned = [.. trainer.LossParameters];
        foreach ((string name, torch.Tensor value) in learned)
        {
            if (!state.Arrays.TryGetValue(LossPrefix + name, out Array? stored) || stored is not float[] floats || floats.Length != value.NumberOfElements || !Array.TrueForAll(floats, float.IsFinite))
            {
                throw new InvalidDataException($"It lacks what the loss has learned ('{name}'), or has no {value.NumberOfElements} finite numbers of it.");
            }
        }
        Dictionary<string, Array> moments = MomentsOf(state);
        if (state.Arrays.Count != moments.Count + learned.Length)
        {
            throw new InvalidDataException($"It has {state.Arrays.Count - moments.Count} arrays that a loss has learned, where this run's losses learn {learned.Length}.");
        }
        trainer.Optimizer.Require(moments);
    }

    /// <summary>Takes over a state that fits.</summary>
    public static void Restore(BatchTrainer trainer, CheckpointState state)
    {
        trainer.Model.Load(state.Adapter);
        trainer.Optimizer.Restore(MomentsOf(state));
        foreach ((string name, torch.Tensor value) in trainer.LossParameters)
        {
            DeviceTensors.Write(value, (float[])state.Arrays[LossPrefix + name]);
        }
    }

    private static Dictionary<string, Array> MomentsOf(CheckpointState state) =>
        state.Arrays.Where(pair => !pair.Key.StartsWith(LossPrefix, StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);

    private static void RequireScaling(PeftAdapter adapter, LoraConfig own)
    {
        foreach (string module in adapter.Modules.Keys)
        {
            (float found, float expected) = (adapter.Config.ScalingOf(module), own.ScalingOf(module));
            if (found != expected)
            {
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"Its adapter scales the update of '{module}' by {found}, this run by {expected}."));
            }
        }
    }
}
