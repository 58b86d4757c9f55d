//! The optimizers as PyTorch defines them (`torch.optim.Adam`, `torch.optim.SGD`), for one parameter.

/// Adam (Kingma and Ba 2015, algorithm 1) with its state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adam {
    pub(crate) learning_rate: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) epsilon: f64,
    pub(crate) first_moment: f64,
    pub(crate) second_moment: f64,
    pub(crate) steps: i32,
}

impl Adam {
    /// Before the first step.
    pub(crate) fn new([learning_rate, beta1, beta2, epsilon]: [f32; 4]) -> Self {
        let [learning_rate, beta1, beta2, epsilon] = [learning_rate, beta1, beta2, epsilon].map(f64::from);
        Self { learning_rate, beta1, beta2, epsilon, first_moment: 0.0, second_moment: 0.0, steps: 0 }
    }

    pub(crate) fn step(&mut self, parameter: &mut f64, gradient: f64) {
        self.steps += 1;
        self.first_moment = self.beta1 * self.first_moment + (1.0 - self.beta1) * gradient;
        self.second_moment = self.beta2 * self.second_moment + (1.0 - self.beta2) * gradient * gradient;
        let first = self.first_moment / (1.0 - self.beta1.powi(self.steps));
        let second = self.second_moment / (1.0 - self.beta2.powi(self.steps));
        *parameter -= self.learning_rate * first / (second.sqrt() + self.epsilon);
    }
}

/// Gradient descent with its state. The velocity is a plain sum of gradients, which PyTorch takes from Sutskever et al. 2013.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sgd {
    pub(crate) learning_rate: f64,
    pub(crate) momentum: f64,
    pub(crate) velocity: f64,
}

impl Sgd {
    /// Before the first step.
    pub(crate) fn new([learning_rate, momentum]: [f32; 2]) -> Self {
        Self { learning_rate: f64::from(learning_rate), momentum: f64::from(momentum), velocity: 0.0 }
    }

    pub(crate) fn step(&mut self, parameter: &mut f64, gradient: f64) {
        self.velocity = self.momentum * self.velocity + gradient;
        *parameter -= self.learning_rate * self.velocity;
    }
}
