namespace Microsoft.ML.Lacos;

/// <summary>What a training run minimises.</summary>
public enum TrainingLoss
{
    /// <summary>A sentence must find its partner among the partners of the whole batch, hard negatives included. No label; of texts and classes, among the partners of other classes.</summary>
    MultipleNegativesRanking = 0,

    /// <summary>Cosines must stand in the order of the labels. Label: a similarity in any unit.</summary>
    CoSent = 1,

    /// <summary>As <see cref="CoSent"/> with angles in complex space instead of cosines. Label: a similarity in any unit.</summary>
    Angle = 2,

    /// <summary>Cosines must equal the labels. Label: a similarity from -1 to 1.</summary>
    CosineSimilarity = 3,

    /// <summary>Pairs labelled 1 are pulled together, pairs labelled 0 pushed apart. Label: Boolean, or a number 0 or 1.</summary>
    Contrastive = 4,

    /// <summary>A classifier over both vectors must name the class, as in natural language inference. Label: a key, or whole numbers from 0.</summary>
    Softmax = 5,

    /// <summary>Vectors must equal a teacher's (distillation). Label: a vector of <see cref="float"/>; the first and, where there is one, the second sentence are compared with it.</summary>
    MeanSquaredError = 6,
}

/// <summary>What updates the weights.</summary>
public enum TrainingOptimizer
{
    /// <summary>Adam with moments in 8 bits.</summary>
    Adam8bit = 0,

    /// <summary>Adam with moments in fp32.</summary>
    AdamW = 1,
}

/// <summary>How the learning rate falls after warming up.</summary>
public enum LearningRateSchedule
{
    /// <summary>In a straight line to 0.</summary>
    Linear = 0,

    /// <summary>Along half a cosine to 0.</summary>
    Cosine = 1,

    /// <summary>Not at all.</summary>
    Constant = 2,
}
